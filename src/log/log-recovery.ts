/**
 * Brings a log back from its files. After a clean stop a few cheap checks are enough. Otherwise everything from the
 * recovery checkpoint on is scanned, and `batch-scan.ts` judges what ends the valid batches: a torn tail is cut off, corruption
 * is left as it is and marks the log `failed`.
 */

import { lastOffsetOf } from '../protocol/record-batch.ts';
import { judgeDamage, type Verdict } from './batch-scan.ts';
import type { OffsetsCheckpoint } from './checkpoint-format.ts';
import { LeaderEpochs } from './leader-epochs.ts';
import type { LogConfig } from './log-config.ts';
import type { LogContext } from './log-context.ts';
import type { LogFiles } from './log-files.ts';
import { LogState } from './log-state.ts';
import { ProducerStates } from './producer-states.ts';
import { Segment } from './segment.ts';
import { inspectDamage, scanSegment } from './segment-scan.ts';
import { Tail } from './tail-cache.ts';

export interface RecoveryOptions {
  readonly topicId: string;
  readonly partition: number;
  readonly context: LogContext;
  readonly files: LogFiles;
  readonly config: LogConfig;
  readonly checkpoint: OffsetsCheckpoint | undefined;
  /** The directory was closed in good order. */
  readonly isClean: boolean;
  /** The machine went down since: unsynced writes may be there in part. */
  readonly pageCacheLost: boolean;
  /** A sync failed last time: what the page cache shows may not be on the disk, so it is written again. */
  readonly mustRewrite: boolean;
}

const REWRITE_CHUNK_BYTES = 2 ** 20;

export async function recoverLog(options: RecoveryOptions): Promise<LogState> {
  return new Recovery(options).run();
}

/** A new, empty log. */
export function emptyLog(context: LogContext, config: LogConfig, startOffset: number): LogState {
  return new LogState({
    config,
    tail: new Tail(context.budget),
    producers: new ProducerStates(context.limits.producersMax),
    startOffset,
    nowWallMs: context.clock.wallMs(),
  });
}

class Recovery {
  readonly #options: RecoveryOptions;
  readonly #files: LogFiles;
  readonly #state: LogState;
  readonly #nowWallMs: number;
  #bases: number[] = [];
  #snapshots: number[] = [];

  constructor(options: RecoveryOptions) {
    const { context, config, checkpoint } = options;
    this.#options = options;
    this.#files = options.files;
    this.#nowWallMs = context.clock.wallMs();
    const withFlush = checkpoint === undefined ? config : { ...config, flush: checkpoint.flush };
    this.#state = emptyLog(context, withFlush, checkpoint?.logStartOffset ?? 0);
  }

  async run(): Promise<LogState> {
    const { checkpoint, isClean } = this.#options;
    const state = this.#state;
    const listing = await this.#files.list();
    this.#bases = listing.segments;
    this.#snapshots = listing.snapshots;
    await this.#dropBelowStart();
    const [first] = this.#bases;
    if (checkpoint === undefined && first !== undefined) state.startAt(first, this.#nowWallMs);
    if (first === undefined && this.#recoveryPoint <= state.logStartOffset) {
      await this.#openEmpty();
      this.#finish();
      return state;
    }
    if (first === undefined || first > state.logStartOffset) {
      this.#fail({ verdict: 'corrupt', reason: 'segments are missing' }, 0);
      return state;
    }
    if (isClean && (await this.#openClean())) state.cleanEndOffset = state.logEndOffset;
    else await this.#scan();
    if (state.logEndOffset < state.logStartOffset && state.failed === undefined) await this.#emptyAtStart();
    this.#finish();
    return state;
  }

  get #ids(): { readonly topicId: string; readonly partition: number } {
    const { topicId, partition } = this.#options;
    return { topicId, partition };
  }

  get #recoveryPoint(): number {
    return this.#options.checkpoint?.recoveryPoint ?? 0;
  }

  /** Segments that a deletion was about to remove. */
  async #dropBelowStart(): Promise<void> {
    for (;;) {
      const [first, second] = this.#bases;
      if (first === undefined || second === undefined || second > this.#state.logStartOffset) return;
      await this.#files.removeSegment(first);
      this.#bases.shift();
    }
  }

  /** No segment, and none is missed: retention may have removed them all, but what they told is worth knowing. */
  async #openEmpty(): Promise<void> {
    const state = this.#state;
    const [producers, epochs] = await Promise.all([
      this.#files.readSnapshot(state.logStartOffset),
      this.#files.readEpochs(),
    ]);
    state.producers = state.producers.replacedBy(producers ?? []);
    state.epochs = new LeaderEpochs(epochs);
  }

  /** Whether everything is as a clean stop leaves it. */
  async #openClean(): Promise<boolean> {
    const endOffset = this.#recoveryPoint;
    const lastBase = this.#bases.at(-1) ?? 0;
    if (lastBase > endOffset) return false;
    const [producers, epochs] = await Promise.all([
      this.#files.readSnapshot(endOffset),
      this.#files.readEpochs(),
    ]);
    if (producers === undefined || epochs === undefined) return false;
    const segments = await this.#segmentsOfFiles(this.#bases.length, endOffset);
    const active = segments.at(-1);
    if (active === undefined) return false;
    if (active.sizeBytes > 0) {
      active.index = await this.#files.readIndex(active, this.#state.config.indexIntervalBytes);
      if (active.index === undefined) return false;
      active.maxTimestamp = active.index.maxTimestamp;
    } else if (lastBase !== endOffset) {
      return false;
    }
    this.#state.producers = this.#state.producers.replacedBy(producers);
    this.#state.epochs = new LeaderEpochs(epochs);
    this.#state.restore(segments, endOffset);
    return true;
  }

  async #segmentsOfFiles(count: number, endOffset: number): Promise<Segment[]> {
    const segments: Segment[] = [];
    for (const [i, base] of this.#bases.slice(0, count).entries()) {
      const sizeBytes = await this.#files.sizeOf(base);
      segments.push(Segment.ofFile(base, this.#bases[i + 1] ?? endOffset, sizeBytes, this.#nowWallMs));
    }
    return segments;
  }

  async #scan(): Promise<void> {
    const state = this.#state;
    const { context } = this.#options;
    const from = await this.#loadStateBefore();
    const segments = await this.#segmentsOfFiles(from, 0);
    let endOffset = this.#bases[from] ?? 0;
    for (const [i, base] of [...this.#bases.entries()].slice(from)) {
      const { segment, sizeBytes } = await this.#scanSegment(base);
      segments.push(segment);
      endOffset = segment.endOffset;
      const nextBase = this.#bases[i + 1];
      const isWhole = segment.sizeBytes === sizeBytes && (nextBase ?? endOffset) === endOffset;
      if (isWhole && (nextBase !== undefined || endOffset >= this.#recoveryPoint)) continue;
      const verdict = await this.#judge(segment, sizeBytes, nextBase !== undefined);
      state.restore(segments, endOffset);
      if (verdict.verdict === 'torn') await this.#cutTail(segment, i, verdict);
      else this.#fail(verdict, i + 1);
      break;
    }
    state.restore(segments, endOffset);
    if (state.failed !== undefined) return;
    for (const { baseOffset } of segments.slice(from)) await this.#files.sync(baseOffset);
    for (const offset of this.#snapshots) if (offset > endOffset) await this.#files.removeSnapshot(offset);
    await this.#files.syncFolder();
    context.logger.info(
      { ...this.#ids, from: this.#bases[from], endOffset },
      'Recovered a log by scanning its tail',
    );
    context.events.recoveries.add();
  }

  /**
   * Loads epochs and producers as of the start of a segment, to scan from there: the one that holds the recovery point,
   * or an older one that has a good snapshot. Returns its number.
   */
  async #loadStateBefore(): Promise<number> {
    const epochs = await this.#files.readEpochs();
    let from = epochs === undefined ? 0 : this.#bases.findLastIndex((base) => base <= this.#recoveryPoint);
    for (; from > 0; from--) {
      const base = this.#bases[from] ?? 0;
      const producers = this.#snapshots.includes(base) ? await this.#files.readSnapshot(base) : undefined;
      if (producers === undefined) continue;
      this.#state.producers = this.#state.producers.replacedBy(producers);
      break;
    }
    from = Math.max(from, 0);
    const base = this.#bases[from] ?? 0;
    this.#state.epochs = new LeaderEpochs(epochs?.filter(({ startOffset }) => startOffset < base));
    return from;
  }

  async #scanSegment(base: number): Promise<{ segment: Segment; sizeBytes: number }> {
    const state = this.#state;
    const sizeBytes = await this.#files.sizeOf(base);
    const segment = new Segment(base, this.#nowWallMs);
    segment.created = true;
    segment.mayExist = true;
    let rewriteFrom: number | undefined;
    const from = { position: 0, offset: base, endPosition: sizeBytes };
    await scanSegment(this.#files, base, from, (header, position) => {
      const lastOffset = lastOffsetOf(header);
      segment.add({ ...header, lastOffset }, this.#nowWallMs, state.config.indexIntervalBytes);
      state.epochs.assign(header.partitionLeaderEpoch, header.baseOffset);
      state.producers.update(header, this.#nowWallMs);
      if (lastOffset >= this.#recoveryPoint) rewriteFrom ??= position;
    });
    if (this.#options.mustRewrite && rewriteFrom !== undefined) await this.#rewrite(segment, rewriteFrom);
    return { segment, sizeBytes };
  }

  /** Makes the pages dirty again, so that the sync that follows does write them (fsync errors, ATC'20). */
  async #rewrite(segment: Segment, from: number): Promise<void> {
    for (let position = from; position < segment.sizeBytes; position += REWRITE_CHUNK_BYTES) {
      const length = Math.min(REWRITE_CHUNK_BYTES, segment.sizeBytes - position);
      const bytes = await this.#files.read(segment.baseOffset, position, length);
      await this.#files.write(segment.baseOffset, position, [bytes], false);
    }
  }

  async #judge(segment: Segment, sizeBytes: number, hasNext: boolean): Promise<Verdict> {
    const { baseOffset, endOffset, sizeBytes: position } = segment;
    const at = { position, offset: endOffset, endPosition: sizeBytes };
    const { validBehind, unwrittenSector, isCutShort } = await inspectDamage(this.#files, baseOffset, at);
    return judgeDamage({
      offset: endOffset,
      recoveryPoint: this.#recoveryPoint,
      // A segment is begun only once the one before it is durable.
      validBehind: validBehind || hasNext,
      unwrittenSector: unwrittenSector && !hasNext,
      isCutShort,
      pageCacheLost: this.#options.pageCacheLost,
      flush: this.#state.config.flush,
    });
  }

  async #cutTail(segment: Segment, i: number, { reason }: Verdict): Promise<void> {
    const { baseOffset, endOffset, sizeBytes } = segment;
    const { logger, events } = this.#options.context;
    logger.info({ ...this.#ids, endOffset, reason }, 'Cutting off the torn tail of a log');
    events.truncations.add();
    for (const later of this.#bases.slice(i + 1).reverse()) {
      await this.#files.removeSegment(later);
      await this.#files.syncFolder();
    }
    await this.#files.truncate(baseOffset, sizeBytes);
  }

  #fail({ reason }: Verdict, unreachableFrom: number): void {
    const { logEndOffset } = this.#state;
    const unreachable = this.#bases
      .slice(unreachableFrom)
      .map((base) => Segment.ofFile(base, base, 0, this.#nowWallMs));
    this.#state.fail(logEndOffset, unreachable);
    const { logger, events } = this.#options.context;
    logger.error({ ...this.#ids, logEndOffset, reason }, 'The log is corrupt and stands down');
    events.corruptions.add();
  }

  /** The tail, cut off just now, reached up to where records are deleted: nothing of the log is wanted any more. */
  async #emptyAtStart(): Promise<void> {
    for (const base of this.#bases.toReversed()) await this.#files.removeSegment(base);
    await this.#files.syncFolder();
    this.#state.startAt(this.#state.logStartOffset, this.#nowWallMs);
  }

  /** What holds however the log was opened. */
  #finish(): void {
    const state = this.#state;
    state.highWatermark = Math.min(
      Math.max(this.#options.checkpoint?.highWatermark ?? 0, state.logStartOffset),
      state.logEndOffset,
    );
    // In a log that retention emptied, the newest epoch stays, and begins where the log does.
    const isEmpty = state.logEndOffset === state.logStartOffset;
    state.epochs.truncateFromEnd(isEmpty ? state.logEndOffset + 1 : state.logEndOffset);
    state.epochs.truncateFromStart(state.logStartOffset);
    state.epochsChanged = state.cleanEndOffset === undefined && state.epochs.entries.length > 0;
  }
}
