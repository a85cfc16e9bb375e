/** A partition as the fake cluster keeps it: one log, whoever leads it, and the producers' last five batches. */

import { ERROR_CODE } from '../../../src/protocol/errors.ts';
import { lastOffsetOf, stampBatch, verifyBatch } from '../../../src/protocol/record-batch.ts';
import { decodeRecords } from '../../../src/protocol/record-decoder.ts';

interface StoredBatch {
  readonly bytes: Uint8Array;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly epoch: number;
}

interface Producer {
  epoch: number;
  readonly recent: { readonly baseSequence: number; readonly count: number; readonly baseOffset: number }[];
}

const SEQUENCES = 2 ** 31;

export class FakeLog {
  leader: number;
  leaderEpoch = 0;
  logStartOffset = 0;
  /** `max.message.bytes`. */
  batchBytesMax = Number.POSITIVE_INFINITY;
  batches: StoredBatch[] = [];
  /** What a broker says to a producer that it does not know, when its sequence does not begin at 0. */
  unknownProducer: 'OUT_OF_ORDER_SEQUENCE_NUMBER' | 'UNKNOWN_PRODUCER_ID' = 'UNKNOWN_PRODUCER_ID';
  readonly producers = new Map<number, Producer>();

  constructor(leader: number) {
    this.leader = leader;
  }

  get endOffset(): number {
    const last = this.batches.at(-1);
    return last === undefined ? this.logStartOffset : last.lastOffset + 1;
  }

  values(): string[] {
    const text = new TextDecoder();
    return this.batches.flatMap(({ bytes }) =>
      decodeRecords(bytes).map(({ value }) => (value === null ? '' : text.decode(value))),
    );
  }

  /** The first record at or after a time. */
  offsetAt(timestampMs: number): { offset: number; timestamp: number } {
    for (const { bytes } of this.batches) {
      const found = decodeRecords(bytes).find(({ timestamp }) => timestamp >= timestampMs);
      if (found !== undefined) return { offset: found.offset, timestamp: found.timestamp };
    }
    return { offset: -1, timestamp: -1 };
  }

  append(original: Uint8Array): { errorCode: number; baseOffset: number } {
    const bytes = original.slice();
    const header = verifyBatch(bytes);
    const { producerId, producerEpoch, baseSequence, recordCount } = header;
    const refuse = (errorCode: number) => ({ errorCode, baseOffset: -1 });
    if (bytes.length > this.batchBytesMax) return refuse(ERROR_CODE.MESSAGE_TOO_LARGE);
    if (producerId >= 0) {
      const known = this.producers.get(producerId);
      if (known === undefined && baseSequence !== 0) return refuse(ERROR_CODE[this.unknownProducer]);
      if (known !== undefined && producerEpoch < known.epoch)
        return refuse(ERROR_CODE.INVALID_PRODUCER_EPOCH);
      if (known !== undefined && producerEpoch > known.epoch && baseSequence !== 0)
        return refuse(ERROR_CODE.OUT_OF_ORDER_SEQUENCE_NUMBER);
      if (known !== undefined && producerEpoch === known.epoch) {
        const duplicate = known.recent.find(
          (b) => b.baseSequence === baseSequence && b.count === recordCount,
        );
        if (duplicate !== undefined) return { errorCode: 0, baseOffset: duplicate.baseOffset };
        const last = known.recent.at(-1);
        const expected = last === undefined ? 0 : (last.baseSequence + last.count) % SEQUENCES;
        if (baseSequence !== expected) return refuse(ERROR_CODE.OUT_OF_ORDER_SEQUENCE_NUMBER);
      }
      const producer = known?.epoch === producerEpoch ? known : { epoch: producerEpoch, recent: [] };
      producer.recent.push({ baseSequence, count: recordCount, baseOffset: this.endOffset });
      if (producer.recent.length > 5) producer.recent.shift();
      this.producers.set(producerId, producer);
    }
    const baseOffset = this.endOffset;
    stampBatch(bytes, 0, baseOffset, this.leaderEpoch);
    const stamped = verifyBatch(bytes);
    this.batches.push({ bytes, baseOffset, lastOffset: lastOffsetOf(stamped), epoch: this.leaderEpoch });
    return { errorCode: 0, baseOffset };
  }

  read(offset: number, bytesMax: number): Uint8Array[] {
    const records: Uint8Array[] = [];
    let bytes = 0;
    for (const batch of this.batches) {
      if (batch.lastOffset < offset) continue;
      if (records.length > 0 && bytes + batch.bytes.length > bytesMax) break;
      records.push(batch.bytes);
      bytes += batch.bytes.length;
    }
    return records;
  }

  /** The end of an epoch, as KIP-101 has it. */
  epochEnd(epoch: number): { leaderEpoch: number; endOffset: number } {
    if (epoch > this.leaderEpoch) return { leaderEpoch: -1, endOffset: -1 };
    let end = -1;
    let found = -1;
    for (const batch of this.batches) {
      if (batch.epoch > epoch) break;
      end = batch.lastOffset + 1;
      found = batch.epoch;
    }
    return found < 0
      ? { leaderEpoch: epoch, endOffset: this.logStartOffset }
      : { leaderEpoch: found, endOffset: end };
  }

  /** Loses everything from `offset` on, as an unclean election would. */
  truncateTo(offset: number): void {
    this.batches = this.batches.filter(({ lastOffset }) => lastOffset < offset);
  }

  /** Retention: whole batches below `offset` go. */
  expireTo(offset: number): void {
    this.batches = this.batches.filter(({ lastOffset }) => lastOffset >= offset);
    this.logStartOffset = Math.max(this.logStartOffset, this.batches[0]?.baseOffset ?? offset);
  }
}
