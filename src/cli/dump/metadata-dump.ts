/**
 * `odradek metadata dump`: the quorum's snapshots and log as JSON lines. Each line has a `type`: `node`, `snapshot`, `file`,
 * `hardState`, `entry`, `reset`, `record`, `damage`. Records that name a topic by its id get its name beside it.
 */

import type { MetadataImage } from '../../metadata/image.ts';
import { decodeRecords, type MetadataRecord } from '../../metadata/records.ts';
import { decodeSnapshotRecords } from '../../metadata/snapshot.ts';
import { asError } from '../../platform/as-error.ts';
import type { WalRecord } from '../../raft/wal-format.ts';
import type { JsonLines } from './json-lines.ts';
import { imageOf, type RaftFolder, type ReadSnapshot, type ReadWal } from './raft-folder.ts';

export interface MetadataDumpOptions {
  /** Entries below are left out. */
  readonly from: number;
  readonly records: boolean;
}

export class MetadataDump {
  readonly #folder: RaftFolder;
  readonly #image: MetadataImage;
  readonly #out: JsonLines;
  readonly #options: MetadataDumpOptions;
  /** Of every topic that the folder speaks of, also of removed ones. */
  readonly #topics = new Map<string, string>();
  #lastIndex = 0;
  corruptions = 0;

  constructor(folder: RaftFolder, out: JsonLines, options: MetadataDumpOptions) {
    this.#folder = folder;
    this.#out = out;
    this.#options = options;
    this.#image = imageOf(folder);
    for (const topic of this.#image.sortedTopics()) this.#topics.set(topic.id, topic.name);
  }

  async dump(): Promise<void> {
    const { snapshots, wal } = this.#folder;
    for (const snapshot of snapshots) await this.#snapshot(snapshot, snapshot === snapshots.at(-1));
    for (const [i, file] of wal.entries()) await this.#walFile(file, i === wal.length - 1);
  }

  /** Of an older snapshot the header alone. */
  async #snapshot({ path, index, content, problem }: ReadSnapshot, isNewest: boolean): Promise<void> {
    if (!content) {
      await this.#corruption({ type: 'damage', file: path, index, verdict: 'corrupt', reason: problem });
      return;
    }
    const { header, data } = content;
    const { crc, ...shown } = header;
    await this.#out.write({ type: 'snapshot', file: path, ...shown, crc: crc.toString(16) });
    if (!isNewest || !this.#options.records || index < this.#options.from || data.length === 0) return;
    try {
      for (const record of decodeSnapshotRecords(data)) await this.#record(record, { snapshot: index });
    } catch (error) {
      const reason = `its records cannot be read: ${asError(error).message}`;
      await this.#corruption({ type: 'damage', file: path, index, verdict: 'corrupt', reason });
    }
  }

  async #walFile({ path, sizeBytes, stretches }: ReadWal, isLast: boolean): Promise<void> {
    await this.#out.write({ type: 'file', file: path, sizeBytes });
    for (const stretch of stretches) {
      const { position, endPosition, records } = stretch;
      for (const record of records ?? []) await this.#walRecord(record, position);
      if (records) continue;
      // Each round is synced before the next is written, so only the very end can be a write that never completed.
      const isTorn = isLast && endPosition === sizeBytes;
      const row = { type: 'damage', file: path, position, endPosition };
      if (isTorn)
        await this.#out.write({
          ...row,
          verdict: 'torn',
          reason: 'no whole frame, and nothing valid follows',
        });
      else
        await this.#corruption({
          ...row,
          verdict: 'corrupt',
          reason: 'no whole frame, and valid data follow',
        });
    }
  }

  async #walRecord(record: WalRecord, position: number): Promise<void> {
    if (record.kind === 'hardState') {
      const { epoch, votedFor } = record.hardState;
      await this.#out.write({ type: 'hardState', position, epoch, votedFor: votedFor ?? null });
    } else if (record.kind === 'reset') {
      this.#lastIndex = record.index;
      await this.#out.write({ type: 'reset', position, index: record.index, epoch: record.epoch });
    } else {
      const { index, epoch, payload, voterSet } = record.entry;
      const replaces = index <= this.#lastIndex ? { replacesTo: this.#lastIndex } : {};
      this.#lastIndex = index;
      if (index < this.#options.from) return;
      await this.#entry(position, { index, epoch, ...replaces, ...(voterSet && { voterSet }) }, payload);
    }
  }

  async #entry(
    position: number,
    entry: { readonly index: number; readonly epoch: number },
    payload: Uint8Array,
  ): Promise<void> {
    const row = { type: 'entry', position, ...entry, sizeBytes: payload.length };
    let records: MetadataRecord[];
    try {
      records = decodeRecords(payload);
    } catch (error) {
      await this.#out.write(row);
      const reason = `its records cannot be read: ${asError(error).message}`;
      await this.#corruption({ type: 'damage', position, index: entry.index, verdict: 'corrupt', reason });
      return;
    }
    await this.#out.write({ ...row, records: countByType(records) });
    for (const record of records) {
      if (record.type === 'Topic') this.#topics.set(record.topicId, record.name);
      if (this.#options.records) await this.#record(record, { index: entry.index, epoch: entry.epoch });
    }
  }

  #record({ type: record, ...fields }: MetadataRecord, of: object): Promise<void> | undefined {
    return this.#out.write({ type: 'record', ...of, record, fields: this.#named(fields) });
  }

  /** The same value, with `topic` beside each `topicId`. */
  #named(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((each) => this.#named(each));
    if (typeof value !== 'object' || value === null) return value;
    const fields = Object.entries(value).flatMap(([name, field]): [string, unknown][] => {
      const topic = name === 'topicId' ? this.#topics.get(String(field)) : undefined;
      const own: [string, unknown] = [name, this.#named(field)];
      return topic === undefined || 'name' in value ? [own] : [own, ['topic', topic]];
    });
    return Object.fromEntries(fields);
  }

  async #corruption(row: object): Promise<void> {
    this.corruptions += 1;
    await this.#out.write(row);
  }
}

/** `{"Topic":1,"Partition":6}`; the no-op that opens an epoch has none. */
function countByType(records: readonly MetadataRecord[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { type } of records) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}
