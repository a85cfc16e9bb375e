/** The leader-epoch cache of one log: which epoch wrote which offsets (KIP-101, KIP-279). */

export interface EpochStart {
  readonly epoch: number;
  readonly startOffset: number;
}

export interface EpochEnd {
  readonly epoch: number;
  readonly endOffset: number;
}

const UNKNOWN: EpochEnd = { epoch: -1, endOffset: -1 };

/** Epochs ascending, start offsets ascending. */
export class LeaderEpochs {
  #entries: EpochStart[];

  constructor(entries: readonly EpochStart[] = []) {
    this.#entries = [...entries];
  }

  get entries(): readonly EpochStart[] {
    return this.#entries;
  }

  /** -1 when there is none. */
  get latest(): number {
    return this.#entries.at(-1)?.epoch ?? -1;
  }

  /** Notes that `epoch` begins at `startOffset`, unless it has begun already. Returns whether that was new. */
  assign(epoch: number, startOffset: number): boolean {
    if (epoch < 0 || epoch <= this.latest) return false;
    // An epoch that ended without a record starts where its successor starts: only the successor counts.
    while ((this.#entries.at(-1)?.startOffset ?? -1) >= startOffset) this.#entries.pop();
    this.#entries.push({ epoch, startOffset });
    return true;
  }

  /** Where an epoch ended: the largest epoch known that is <= the requested one, and the start of the next (KIP-279). */
  endOffsetFor(epoch: number, logEndOffset: number): EpochEnd {
    if (epoch < 0 || epoch > this.latest) return UNKNOWN;
    if (epoch === this.latest) return { epoch, endOffset: logEndOffset };
    const next = this.#entries.findIndex((entry) => entry.epoch > epoch);
    const endOffset = this.#entries[next]?.startOffset ?? logEndOffset;
    const floor = this.#entries[next - 1];
    return { epoch: floor?.epoch ?? epoch, endOffset };
  }

  /** The epoch that wrote `offset`; -1 if unknown. */
  epochAt(offset: number): number {
    return this.#entries.findLast((entry) => entry.startOffset <= offset)?.epoch ?? -1;
  }

  /** Forgets epochs that begin at or after `endOffset`. Returns whether there were any. */
  truncateFromEnd(endOffset: number): boolean {
    const kept = this.#entries.filter((entry) => entry.startOffset < endOffset);
    const changed = kept.length < this.#entries.length;
    this.#entries = kept;
    return changed;
  }

  /** Forgets epochs that ended before `startOffset`; the one it falls into begins there now. */
  truncateFromStart(startOffset: number): boolean {
    const containing = this.#entries.findLastIndex((entry) => entry.startOffset <= startOffset);
    const first = this.#entries[containing];
    if (first === undefined || (containing === 0 && first.startOffset === startOffset)) return false;
    this.#entries = [{ epoch: first.epoch, startOffset }, ...this.#entries.slice(containing + 1)];
    return true;
  }
}
