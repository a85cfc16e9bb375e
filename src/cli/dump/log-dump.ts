/**
 * `odradek log dump`: partitions' segments as JSON lines. Each line has a `type`: `partition`, `segment`, `batch`, `record`,
 * `damage`, and with `verify` also `index`, `epochs`, `producers`. Damage is told where it is, and the dump goes on behind it.
 */

import { judgeDamage } from '../../log/batch-scan.ts';
import type { LogFiles } from '../../log/log-files.ts';
import { asError } from '../../platform/as-error.ts';
import type { Disk } from '../../platform/ports.ts';
import { COMPRESSION, loadCodec } from '../../protocol/compression.ts';
import { ATTRIBUTE, lastOffsetOf, type RecordBatchHeader } from '../../protocol/record-batch.ts';
import { iterateRecords } from '../../protocol/record-decoder.ts';
import { type BytesFormat, recordContent } from '../record-json.ts';
import type { JsonLines } from './json-lines.ts';
import { fileName, listPartition, type PartitionFolder, withFiles } from './log-folder.ts';
import { type OffsetRange, overlaps } from './offset-range.ts';
import { isMissing } from './read-only-disk.ts';
import { type WalkedBatch, type WalkedDamage, walkSegment } from './segment-walk.ts';
import { EpochVerifier, SegmentVerifier } from './verify-partition.ts';

export interface LogDumpOptions {
  readonly range: OffsetRange;
  readonly records: boolean;
  readonly verify: boolean;
  readonly formats: { readonly key: BytesFormat; readonly value: BytesFormat };
}

export class LogDump {
  readonly #disk: Disk;
  readonly #out: JsonLines;
  readonly #options: LogDumpOptions;
  readonly #pageCacheLost: boolean;
  /** Places where what was promised cannot be read, or where files contradict each other. */
  corruptions = 0;

  constructor(disk: Disk, out: JsonLines, pageCacheLost: boolean, options: LogDumpOptions) {
    this.#disk = disk;
    this.#out = out;
    this.#pageCacheLost = pageCacheLost;
    this.#options = options;
  }

  /** A partition that is removed meanwhile is passed over. */
  async dump(folder: PartitionFolder, topic: string | null): Promise<void> {
    const { topicId, partition, path, checkpoint } = folder;
    const { recoveryPoint, highWatermark, logStartOffset, flush } = checkpoint ?? {};
    const known = checkpoint && { logStartOffset, highWatermark, recoveryPoint, flush };
    await this.#out.write({ type: 'partition', topic, topicId, partition, path, checkpoint: known ?? null });
    try {
      await withFiles(this.#disk, path, (files) => this.#partition(folder, files));
    } catch (error) {
      if (!isMissing(error)) throw error;
      await this.#out.write({ type: 'removed', path, reason: 'removed while it was read' });
    }
  }

  async #partition(folder: PartitionFolder, files: LogFiles): Promise<void> {
    const { path, checkpoint } = folder;
    const { segments, snapshots } = await listPartition(this.#disk, path);
    const epochs = new EpochVerifier();
    let endOffset = segments[0] ?? checkpoint?.logStartOffset ?? 0;
    for (const [i, base] of segments.entries()) {
      const next = segments[i + 1];
      if (!this.#options.verify && base >= this.#options.range.to) return;
      if (base !== endOffset) await this.#gap(path, endOffset, base);
      if (next !== undefined && next <= this.#options.range.from && !this.#options.verify) endOffset = next;
      else endOffset = await this.#segment(folder, files, base, next, epochs);
    }
    const recoveryPoint = checkpoint?.recoveryPoint ?? 0;
    if (endOffset < recoveryPoint) {
      const reason = `the log ends at offset ${endOffset}, below its synced checkpoint ${recoveryPoint}`;
      await this.#corruption({ type: 'damage', path, verdict: 'corrupt', reason });
    }
    if (this.#options.verify) await this.#verify(folder, files, snapshots, epochs);
  }

  /** Returns the offset behind the segment's last batch. */
  async #segment(
    { path, checkpoint }: PartitionFolder,
    files: LogFiles,
    base: number,
    nextBase: number | undefined,
    epochs: EpochVerifier,
  ): Promise<number> {
    const file = `${path}/${fileName(base, '.log')}`;
    const sizeBytes = await files.sizeOf(base);
    await this.#out.write({ type: 'segment', file, baseOffset: base, sizeBytes });
    const verifier = this.#options.verify ? new SegmentVerifier(base) : undefined;
    let endOffset = base;
    let isDamaged = false;
    for await (const { batches, damage } of walkSegment(files, base, sizeBytes)) {
      for (const batch of batches) {
        endOffset = lastOffsetOf(batch.header) + 1;
        if (verifier) epochs.add(batch.header);
        verifier?.add(batch.header, batch.position);
        await this.#batch(batch);
      }
      if (damage) {
        isDamaged = true;
        const recoveryPoint = checkpoint?.recoveryPoint ?? 0;
        const context = { recoveryPoint, flush: checkpoint?.flush ?? 'sync', nextBase } as const;
        await this.#damage(file, damage, context);
      }
    }
    if (verifier && !isDamaged) {
      const verdict = await verifier.verifyIndex(this.#disk, path);
      const row = { type: 'index', file: file.replace(/\.log$/, '.index'), ...verdict };
      if (verdict.problem === undefined) await this.#out.write(row);
      else await this.#corruption(row);
    }
    // What a damaged end would have told is told by the next segment's name.
    return isDamaged ? (nextBase ?? endOffset) : endOffset;
  }

  async #batch({ header, position, bytes }: WalkedBatch): Promise<void> {
    const { range, records, formats } = this.#options;
    if (!overlaps(range, header.baseOffset, lastOffsetOf(header))) return;
    await this.#out.write({ type: 'batch', position, ...batchRow(header) });
    if (!records || (header.attributes & ATTRIBUTE.control) !== 0) return;
    try {
      await loadCodec(header.attributes & ATTRIBUTE.compressionMask);
      for (const record of iterateRecords(bytes)) {
        const { offset, timestamp } = record;
        if (offset < range.from || offset >= range.to) continue;
        await this.#out.write({ type: 'record', offset, timestamp, ...recordContent(record, formats) });
      }
    } catch (error) {
      const reason = `its records cannot be read: ${asError(error).message}`;
      await this.#corruption({ type: 'damage', position, offset: header.baseOffset, reason });
    }
  }

  async #damage(
    file: string,
    damage: WalkedDamage,
    log: { recoveryPoint: number; flush: 'sync' | 'os'; nextBase: number | undefined },
  ): Promise<void> {
    const { position, endPosition, offset, problem } = damage;
    const hasNext = log.nextBase !== undefined;
    const { verdict, reason } = judgeDamage({
      offset,
      recoveryPoint: log.recoveryPoint,
      validBehind: damage.validBehind || hasNext,
      unwrittenSector: damage.unwrittenSector && !hasNext,
      isCutShort: damage.isCutShort,
      pageCacheLost: this.#pageCacheLost,
      flush: log.flush,
    });
    const row = { type: 'damage', file, position, endPosition, offset, verdict, reason, problem };
    if (verdict === 'corrupt') await this.#corruption(row);
    else await this.#out.write(row);
  }

  async #gap(path: string, endOffset: number, base: number): Promise<void> {
    const reason = `the next segment begins at offset ${base}, and ${endOffset} is due`;
    await this.#corruption({ type: 'damage', path, offset: endOffset, verdict: 'corrupt', reason });
  }

  async #verify(
    { path, checkpoint }: PartitionFolder,
    files: LogFiles,
    snapshots: readonly number[],
    epochs: EpochVerifier,
  ): Promise<void> {
    const entries = await files.readEpochs();
    const problem = epochs.problemOf(entries, checkpoint);
    const file = `${path}/leader-epoch-checkpoint`;
    const row = { type: 'epochs', file, status: problem ? 'wrong' : 'matches', problem, entries };
    await (problem ? this.#corruption(row) : this.#out.write(row));
    for (const offset of snapshots) {
      const producers = await files.readSnapshot(offset);
      const snapshot = { type: 'producers', file: `${path}/${fileName(offset, '.snapshot')}`, offset };
      // A torn one is found out at the next start, which scans for longer instead.
      if (producers) await this.#out.write({ ...snapshot, status: 'matches', producers: producers.length });
      else await this.#out.write({ ...snapshot, status: 'damaged' });
    }
  }

  async #corruption(row: object): Promise<void> {
    this.corruptions += 1;
    await this.#out.write(row);
  }
}

function batchRow(header: RecordBatchHeader): object {
  const { attributes } = header;
  const compression = Object.entries(COMPRESSION).find(
    ([, id]) => id === (attributes & ATTRIBUTE.compressionMask),
  )?.[0];
  return {
    baseOffset: header.baseOffset,
    lastOffset: lastOffsetOf(header),
    records: header.recordCount,
    sizeBytes: header.sizeBytes,
    leaderEpoch: header.partitionLeaderEpoch,
    compression: compression ?? attributes & ATTRIBUTE.compressionMask,
    timestampType: (attributes & ATTRIBUTE.logAppendTime) === 0 ? 'CreateTime' : 'LogAppendTime',
    baseTimestamp: header.baseTimestamp,
    maxTimestamp: header.maxTimestamp,
    producerId: header.producerId,
    producerEpoch: header.producerEpoch,
    baseSequence: header.baseSequence,
    isTransactional: (attributes & ATTRIBUTE.transactional) !== 0,
    isControl: (attributes & ATTRIBUTE.control) !== 0,
    crc: header.crc.toString(16).padStart(8, '0'),
  };
}
