import { RECORD_BATCH_HEADER_BYTES, readBatchHeader } from '../../src/protocol/record-batch.ts';
import type { SimDisk } from '../sim/disk.ts';
import { InvariantViolation } from './violation.ts';

const OFFSET_DIGITS = 20;

/** The batches of one partition that any replica holds below its high watermark: the truth all others must equal. */
export class CommittedLog {
  readonly name: string;
  readonly #batches = new Map<number, { readonly endOffset: number; readonly print: string }>();
  #end = 0;

  /** @param name `<topicId>-<partition>`, as the folders are named. */
  constructor(name: string) {
    this.name = name;
  }

  /** A replica has this batch below its high watermark. */
  add(who: string, baseOffset: number, endOffset: number, print: string): void {
    const known = this.#batches.get(baseOffset);
    if (known === undefined && baseOffset >= this.#end) {
      this.#batches.set(baseOffset, { endOffset, print });
      this.#end = endOffset;
      return;
    }
    if (known?.endOffset === endOffset && known.print === print) return;
    const theirs = known ? `${baseOffset}..${known.endOffset} ${known.print}` : 'no batch that begins there';
    const ours = `${baseOffset}..${endOffset} ${print}`;
    throw new InvariantViolation(
      'committed logs differ',
      `${this.name}: ${who} has ${ours}, others ${theirs}`,
    );
  }
}

/**
 * Reads the batches of one replica from the platter of its disk, behind the process's back, as far as they are
 * committed and synced: what a power loss at this moment would leave.
 */
export class DurableReader {
  readonly #disk: SimDisk;
  readonly #folder: string;
  readonly #who: string;
  readonly #committed: CommittedLog;
  #offset = 0;
  #segment = -1;
  #position = 0;

  constructor(disk: SimDisk, folder: string, who: string, committed: CommittedLog) {
    this.#disk = disk;
    this.#folder = folder;
    this.#who = who;
    this.#committed = committed;
  }

  /** Compares everything from where it stopped last up to `endOffset`. */
  readTo(endOffset: number, logStartOffset: number): void {
    // Nothing is left to compare: a log that starts over is empty, whatever its old files say until they are gone.
    if (logStartOffset >= endOffset) {
      this.#offset = Math.max(this.#offset, logStartOffset);
      this.#segment = -1;
      return;
    }
    if (logStartOffset > this.#offset) this.#goTo(logStartOffset);
    while (this.#offset < endOffset) this.#next(endOffset);
  }

  #next(endOffset: number): void {
    if (this.#segment < 0) this.#goTo(this.#offset);
    const file = this.#disk.peekDurable(this.#path(this.#segment));
    const head = file?.read(this.#position, RECORD_BATCH_HEADER_BYTES);
    if (head?.length !== RECORD_BATCH_HEADER_BYTES) {
      // The end of a segment: the next one is named by the offset that follows.
      if (this.#segment === this.#offset || !this.#disk.peekDurable(this.#path(this.#offset)))
        this.#missing(endOffset);
      this.#segment = this.#offset;
      this.#position = 0;
      return;
    }
    const { baseOffset, lastOffsetDelta, sizeBytes, crc, partitionLeaderEpoch } = readBatchHeader(head);
    const batchEnd = baseOffset + lastOffsetDelta + 1;
    if (baseOffset > this.#offset || batchEnd <= baseOffset || sizeBytes <= 0) this.#missing(endOffset);
    this.#committed.add(this.#who, baseOffset, batchEnd, `crc ${crc} epoch ${partitionLeaderEpoch}`);
    this.#position += sizeBytes;
    this.#offset = Math.max(this.#offset, batchEnd);
  }

  /** Begins at the segment that holds `offset`. */
  #goTo(offset: number): void {
    const segments = this.#disk
      .peekDurableNames(this.#folder)
      .filter((name) => name.endsWith('.log'))
      .map((name) => Number.parseInt(name, 10));
    const segment = segments.filter((base) => base <= offset).at(-1);
    if (segment === undefined) this.#missing(offset);
    this.#segment = segment;
    this.#position = 0;
    this.#offset = segment;
  }

  #path(segment: number): string {
    return `${this.#folder}/${String(segment).padStart(OFFSET_DIGITS, '0')}.log`;
  }

  #missing(endOffset: number): never {
    const { name } = this.#committed;
    const where = `offset ${this.#offset} (segment ${this.#segment} at ${this.#position}) of ${endOffset}`;
    throw new InvariantViolation('synced record not on the platter', `${name}, ${this.#who}: ${where}`);
  }
}
