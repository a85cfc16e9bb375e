/**
 * Carries a log from memory over to its files: the log's part of a group-commit round. One call runs at a time. The order
 * is the promise: cuts are durable before what is appended after them is written, an older segment is durable before a
 * newer one is written, and only what is durable is published.
 */

import { isDiskFull } from './file-helpers.ts';
import type { LogContext } from './log-context.ts';
import type { LogFiles } from './log-files.ts';
import type { LogReader } from './log-reader.ts';
import type { LogState, PendingWrite, RolledSegment } from './log-state.ts';
import { reloadProducers } from './producer-reload.ts';

export class LogWriter {
  readonly #state: LogState;
  readonly #files: LogFiles;
  readonly #reader: LogReader;
  readonly #context: LogContext;
  readonly #onError: (error: unknown) => void;
  /** Housekeeping and cuts, one after the other, so that none meets the names of another. */
  #lastExclusive: Promise<unknown> = Promise.resolve();

  constructor(
    state: LogState,
    files: LogFiles,
    reader: LogReader,
    context: LogContext,
    onError: (error: unknown) => void,
  ) {
    this.#state = state;
    this.#files = files;
    this.#reader = reader;
    this.#context = context;
    this.#onError = onError;
  }

  get isDirty(): boolean {
    const state = this.#state;
    return (
      state.cut !== undefined ||
      state.writtenOffset < state.logEndOffset ||
      (state.config.flush === 'sync' && state.durableOffset < state.logEndOffset)
    );
  }

  /** Brings the files up to date with the memory of now. Returns whether `syncedOffset` moved. */
  async flush(): Promise<boolean> {
    const state = this.#state;
    for (;;) {
      const { generation, cut } = state;
      if (cut !== undefined) await this.#exclusively(() => this.#carryOutCut(generation));
      if (generation !== state.generation) continue;
      const endOffset = state.logEndOffset;
      const durableOffset = await this.#writePending();
      if (cut !== undefined && generation === state.generation) await this.#reload();
      // Cut meanwhile: what was written may be of offsets that mean something else now. Publish nothing of it.
      if (generation !== state.generation) continue;
      if (cut !== undefined) state.cutDone();
      const moved = state.published(generation, endOffset, Math.min(durableOffset, endOffset));
      // An empty log has nothing but the checkpoint to tell where it starts.
      if (cut?.kind === 'reset') await this.#context.persistOffsets();
      // Nobody waits for what a closed segment leaves behind.
      if (state.rolled.length > 0) this.#exclusively(() => this.#finishRolled()).catch(this.#onError);
      return moved;
    }
  }

  /** Makes everything durable and leaves the files so that the next start need not scan. Appends have ended. */
  async close(): Promise<void> {
    const state = this.#state;
    await this.#exclusively(() => this.#finishRolled());
    const { active } = state;
    if (state.logEndOffset === state.cleanEndOffset && state.generation === 0) return this.persistEpochs();
    if (state.failed !== undefined || (!active.created && state.segments.length === 1)) return;
    if (active.created) {
      await this.#files.sync(active.baseOffset);
      state.published(state.generation, state.logEndOffset, state.logEndOffset);
      if (active.index !== undefined) await this.#files.writeIndex(active.baseOffset, active.index);
    }
    await this.#files.writeSnapshot(state.logEndOffset, state.encodedProducers());
    await this.persistEpochs();
    await this.#files.syncFolder();
  }

  /** Before the recovery point passes a segment, its epochs must be readable from elsewhere. */
  async persistEpochs(): Promise<void> {
    if (!this.#state.epochsChanged || this.#state.cut?.kind === 'reset') return;
    this.#state.epochsChanged = false;
    try {
      await this.#files.writeEpochs(this.#state.epochs.entries);
    } catch (error) {
      this.#state.epochsChanged = true;
      throw error;
    }
  }

  /** Removes segments that retention took off the front; `logStartOffset` is past them already. */
  deleteSegments(baseOffsets: readonly number[]): Promise<void> {
    const remove = async () => {
      // The new start is durable first: else a hole in front would look like lost data.
      await this.#context.persistOffsets();
      for (const baseOffset of baseOffsets) {
        await this.#files.removeSegment(baseOffset);
        await this.#files.removeSnapshot(baseOffset);
      }
    };
    return this.#exclusively(remove);
  }

  /** Resolves once nothing is done to the files any more. The log takes no calls by now. */
  async idle(): Promise<void> {
    await this.#lastExclusive;
  }

  #exclusively<T>(act: () => Promise<T>): Promise<T> {
    const run = this.#lastExclusive.then(act);
    this.#lastExclusive = run.catch(() => {}); // the caller sees it
    return run;
  }

  /** Resolves to the offset below which everything is durable now. */
  async #writePending(): Promise<number> {
    const state = this.#state;
    const { generation, logEndOffset } = state;
    let { durableOffset } = state;
    for (const write of state.pendingWrites()) {
      if (await this.#write(write)) durableOffset = write.endOffset;
      if (generation !== state.generation) return 0;
    }
    // After a change of the config from `os`, what was written before must be synced as well.
    if (state.config.flush === 'sync' && durableOffset < logEndOffset) {
      for (const segment of state.segments) {
        if (segment.endOffset > durableOffset && segment.created) await this.#files.sync(segment.baseOffset);
      }
      return logEndOffset;
    }
    return durableOffset;
  }

  /** Returns whether the write is durable, too. */
  async #write({ segment, position, parts }: PendingWrite): Promise<boolean> {
    const sync = this.#state.config.flush === 'sync';
    segment.mayExist = true;
    await this.#files.write(segment.baseOffset, position, parts, sync || segment !== this.#state.active);
    if (!segment.created) {
      await this.#files.syncFolder();
      segment.created = true;
    }
    return sync;
  }

  /** Makes closed segments durable (`flush` = `os`) and writes their indexes and producer snapshots. */
  async #finishRolled(): Promise<void> {
    const state = this.#state;
    const { generation } = state;
    for (;;) {
      const [next] = state.rolled;
      if (next === undefined || next.segment.endOffset > state.writtenOffset) return;
      await this.#finish(next);
      if (generation !== state.generation) return;
      state.published(generation, 0, next.segment.endOffset);
      state.rolled = state.rolled.filter((entry) => entry !== next);
      if (!next.segment.removed) this.#context.indexCache.touch(next.segment);
    }
  }

  async #finish({ segment, index, producers }: RolledSegment): Promise<void> {
    const { baseOffset, endOffset } = segment;
    try {
      if (endOffset > this.#state.durableOffset && !segment.removed) await this.#files.sync(baseOffset);
    } catch (error) {
      // Retention may have taken the file away meanwhile.
      if (!segment.removed) throw error;
    }
    try {
      if (index !== undefined && !segment.removed) await this.#files.writeIndex(baseOffset, index);
      await this.#files.writeSnapshot(endOffset, producers);
    } catch (error) {
      // Both can be had by a scan; a full disk must not stop what matters.
      if (!isDiskFull(error)) throw error;
      this.#context.logger.debug({ folder: this.#files.folder, baseOffset }, 'Disk full, index not written');
    }
  }

  /** Does on disk what `state.cut` did in memory. Safe to begin again after a failure or a further cut. */
  async #carryOutCut(generation: number): Promise<void> {
    const state = this.#state;
    if (state.cut?.kind === 'truncate' && state.cut.at === undefined) await this.#locateCut(generation);
    // First withdraw the promise that what goes now is there; else its absence would look like corruption.
    if (generation === state.generation) await this.#context.persistOffsets();
    const { cut } = state;
    if (generation !== state.generation || cut === undefined) return;
    for (const segment of [...cut.doomed, state.active]) this.#context.indexCache.forget(segment);
    if (cut.kind === 'reset') await this.#replaceFolder();
    else await this.#truncateFiles(cut);
  }

  async #locateCut(generation: number): Promise<void> {
    const { segment, baseOffset, position } = await this.#reader.find(this.#state.logEndOffset);
    if (generation === this.#state.generation) this.#state.cutSegments(segment, baseOffset, position);
  }

  async #truncateFiles(cut: NonNullable<LogState['cut']>): Promise<void> {
    // The newest first, each durably gone before the next: a crash leaves a prefix, never a gap.
    for (const segment of cut.doomed.toReversed()) {
      if (!segment.mayExist) continue;
      await this.#files.removeSegment(segment.baseOffset);
      await this.#files.syncFolder();
    }
    const { snapshots } = await this.#files.list();
    for (const offset of snapshots) if (offset > cut.offset) await this.#files.removeSnapshot(offset);
    const { active } = this.#state;
    await this.#files.removeIndex(active.baseOffset);
    await this.#files.syncFolder();
    if (active.mayExist) await this.#files.truncate(active.baseOffset, cut.at?.position ?? 0);
  }

  async #replaceFolder(): Promise<void> {
    const { disk } = this.#context;
    this.#files.forget();
    await this.#context.moveToTrash(this.#files.folder);
    await disk.mkdir(this.#files.folder);
    await this.#files.syncParent();
    for (const segment of this.#state.segments) segment.mayExist = false;
  }

  /** After a truncation: what appends need to know of the log's end. */
  async #reload(): Promise<void> {
    const state = this.#state;
    const { generation, active } = state;
    if (active.sizeBytes > 0) await this.#reader.index(active);
    const producers = await reloadProducers(state, this.#files, this.#context.clock.wallMs());
    if (generation === state.generation) state.producers = producers;
  }
}
