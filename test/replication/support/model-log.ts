import type { EpochEnd, LogView } from '../../../src/replication/types.ts';

export interface ModelRecord {
  readonly epoch: number;
  readonly value: number;
}

/** The dumbest log that could work: an array of records, its epochs found by looking at every record. */
export class ModelLog implements LogView {
  logStartOffset = 0;
  highWatermark = 0;
  syncedOffset = 0;
  records: ModelRecord[] = [];

  get logEndOffset(): number {
    return this.logStartOffset + this.records.length;
  }

  get latestEpoch(): number {
    return this.records.at(-1)?.epoch ?? -1;
  }

  endOffsetForEpoch(epoch: number): EpochEnd {
    if (epoch < 0 || epoch > this.latestEpoch) return { epoch: -1, endOffset: -1 };
    const next = this.records.findIndex((record) => record.epoch > epoch);
    const count = next < 0 ? this.records.length : next;
    return { epoch: this.records[count - 1]?.epoch ?? epoch, endOffset: this.logStartOffset + count };
  }

  at(offset: number): ModelRecord | undefined {
    return this.records[offset - this.logStartOffset];
  }

  from(offset: number): ModelRecord[] {
    return this.records.slice(offset - this.logStartOffset);
  }

  append(...records: ModelRecord[]): void {
    this.records.push(...records);
  }

  /** Appends and syncs one record of `epoch` per value. */
  write(epoch: number, ...values: number[]): this {
    this.append(...values.map((value) => ({ epoch, value })));
    this.sync();
    return this;
  }

  sync(offset = this.logEndOffset): void {
    this.syncedOffset = Math.max(this.syncedOffset, offset);
  }

  truncateTo(offset: number): void {
    this.records.length = Math.max(0, offset - this.logStartOffset);
    this.highWatermark = Math.min(this.highWatermark, this.logEndOffset);
    this.syncedOffset = Math.min(this.syncedOffset, this.logEndOffset);
  }

  resetTo(offset: number): void {
    this.records = [];
    this.logStartOffset = offset;
    this.highWatermark = offset;
    this.syncedOffset = offset;
  }

  /** Power loss: what was not synced is gone. */
  crash(): void {
    this.truncateTo(this.syncedOffset);
  }
}
