/**
 * The log layer: all partition logs under one folder, on one disk. Begin reading here, then `partition-log.ts` (one log),
 * `log-state.ts` (its memory), `log-writer.ts` (how that reaches the disk) and `log-recovery.ts` (how it comes back). This folder
 * may import `protocol/` and the ports of `platform/`.
 *
 *     <dir>/.clean, .boot, .loss how the last stop was (`stop-marks.ts`)
 *     <dir>/.trash/              removed partitions, deleted later
 *     <dir>/offsets-checkpoint   per partition: recovery point, high watermark, log start
 *     <dir>/<topicId>-<partition>/<offset>.log, .index, .timeindex, .snapshot, leader-epoch-checkpoint
 *
 * Everything that waits for the disk goes through one round at a time (`rounds.ts`): all logs with something new write and
 * sync in parallel, and whatever arrives meanwhile joins the next round. That is the group commit.
 */

import { asError } from '../platform/as-error.ts';
import type { Clock, Disk, Logger, Meter, Sample, Timer, Timers } from '../platform/ports.ts';
import { KafkaError } from '../protocol/errors.ts';
import { decodeOffsets, encodeOffsets, type OffsetsCheckpoint } from './checkpoint-format.ts';
import { Coalesced, isDiskFull, makeFolder, readIfExists, writeAtomically } from './file-helpers.ts';
import { FilePool } from './file-pool.ts';
import { IndexCache } from './index-cache.ts';
import { DEFAULT_LOG_CONFIG, DEFAULT_LOG_LIMITS, type LogConfig, type LogLimits } from './log-config.ts';
import type { LogContext } from './log-context.ts';
import { LogEvents } from './log-events.ts';
import { LogFiles } from './log-files.ts';
import { emptyLog, recoverLog } from './log-recovery.ts';
import type { LogState } from './log-state.ts';
import { LOG_METRICS } from './metrics.ts';
import { PartitionLog } from './partition-log.ts';
import { Rounds } from './rounds.ts';
import { StopMarks } from './stop-marks.ts';
import { TailBudget } from './tail-cache.ts';
import { Trash } from './trash.ts';

export interface LogDirectoryOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly dir: string;
  /** Ends the process: the disk failed, and nothing that it was told can be trusted any more. */
  readonly crash: (error: Error) => void;
  readonly meter?: Meter | undefined;
  readonly limits?: Partial<LogLimits>;
  /** For the logs found at start, until `setConfig` tells the topic's own. */
  readonly config?: LogConfig;
}

const OFFSETS_FILE = 'offsets-checkpoint';
const FOLDER_NAME = /^([A-Za-z0-9_-]{22})-(\d{1,9})$/;

export class LogDirectory {
  /**
   * Whether nothing that was acknowledged, even without a sync (`flush` = `os`), can have been lost since the controller was
   * told last: the last stop was a clean one, or the machine never went down.
   */
  readonly cleanShutdown: boolean;
  readonly #options: LogDirectoryOptions;
  readonly #marks: StopMarks;
  readonly #limits: LogLimits;
  readonly #logs = new Map<string, PartitionLog>();
  readonly #context: LogContext;
  readonly #rounds: Rounds;
  readonly #trash: Trash;
  readonly #offsetsCheckpoint: Coalesced;
  readonly #dirSync: Coalesced;
  /** Creations and removals under way, by name: one at a time. */
  readonly #changes = new Map<string, Promise<unknown>>();
  readonly #timers = new Set<Timer>();
  /** The newest checkpoint known to be durable. */
  #offsetsOnDisk: Uint8Array | undefined;
  #isClosing = false;

  /** Recovers every log found in the folder. */
  static async open(o: LogDirectoryOptions): Promise<LogDirectory> {
    const { disk, dir, logger } = o;
    await makeFolder(disk, `${dir}/.trash`);
    const names = await disk.readDir(dir);
    const marks = await StopMarks.take(disk, dir, names);
    const directory = new LogDirectory(o, marks);
    await directory.#recover(names, {
      isClean: marks.isClean,
      pageCacheLost: marks.pageCacheLost,
      mustRewrite: marks.isUnknown,
    });
    // Durable before the first append, or a torn tail could not be told from corruption after a power loss.
    await marks.opened();
    await directory.#offsetsCheckpoint.run().catch((error) => {
      if (!isDiskFull(error)) throw error;
    });
    await directory.#trash.resume();
    directory.#startTimers();
    logger.info({ dir, logs: directory.#logs.size, cleanShutdown: directory.cleanShutdown }, 'Logs are open');
    return directory;
  }

  private constructor(o: LogDirectoryOptions, marks: StopMarks) {
    this.#options = o;
    this.#marks = marks;
    this.cleanShutdown = marks.nothingLost;
    const { disk, clock, timers, logger, dir } = o;
    const limits = { ...DEFAULT_LOG_LIMITS, ...o.limits };
    this.#limits = limits;
    const events = new LogEvents(logger, o.meter);
    this.#rounds = new Rounds(timers, limits.diskFullRetryMs, events, (error) => void this.#fail(error));
    this.#trash = new Trash(disk, timers, dir, limits.trashDelayMs, (error) => void this.#fail(error));
    this.#offsetsCheckpoint = new Coalesced(() => this.#persistOffsets());
    this.#dirSync = new Coalesced(() => disk.syncDir(dir));
    this.#context = {
      disk,
      clock,
      logger,
      events,
      limits,
      pool: new FilePool(disk, limits.openFilesMax, (error) => void this.#fail(error)),
      budget: new TailBudget(limits.tailCacheBytesMax),
      indexCache: new IndexCache(limits.indexCacheBytesMax),
      persistOffsets: () => this.#offsetsCheckpoint.run(),
      moveToTrash: (folder) => this.#trash.take(folder),
    };
    events.meter.onScrape((sample) => this.#sample(sample));
  }

  get(topicId: string, partition: number): PartitionLog | undefined {
    return this.#logs.get(`${topicId}-${partition}`);
  }

  all(): Iterable<PartitionLog> {
    return this.#logs.values();
  }

  /** Bytes of batches in memory. */
  get tailCacheBytes(): number {
    return this.#context.budget.bytes;
  }

  #sample(sample: Sample): void {
    let corrupt = 0;
    for (const log of this.#logs.values()) if (log.failed) corrupt++;
    sample(LOG_METRICS.logs, this.#logs.size);
    sample(LOG_METRICS.tailCache, this.tailCacheBytes);
    sample(LOG_METRICS.cleanStart, this.cleanShutdown ? 1 : 0);
    sample(LOG_METRICS.corrupt, corrupt);
    sample(LOG_METRICS.diskFull, this.#context.events.fullCount);
  }

  /** The log of a partition, made if there is none. A log that exists takes `config` over. */
  create(topicId: string, partition: number, config: LogConfig): Promise<PartitionLog> {
    const name = `${topicId}-${partition}`;
    if (!FOLDER_NAME.test(name)) throw new Error(`not a topic id and partition: ${name}`);
    return this.#change(name, async () => {
      const existing = this.#logs.get(name);
      existing?.setConfig(config);
      return existing ?? (await this.#create(name, config));
    });
  }

  /** Takes a partition's log out of use, durably; its files are deleted later. */
  remove(topicId: string, partition: number): Promise<void> {
    const name = `${topicId}-${partition}`;
    return this.#change(name, async () => {
      const log = this.#logs.get(name);
      if (log === undefined) return;
      log.markClosed();
      this.#logs.delete(name);
      await this.#rounds.drop(log);
      await log.idle();
      while (!(await this.#tryRemove(name))) {
        // What is left is removed at the next start.
        if (this.#isClosing) return;
        const { timers } = this.#options;
        await new Promise<void>((resolve) => timers.set(this.#limits.diskFullRetryMs, resolve));
      }
      this.#context.events.diskHasRoom(name);
      this.#options.logger.info({ name }, 'Removed a log');
    });
  }

  /** False where the disk is full: even to forget something takes room. */
  async #tryRemove(name: string): Promise<boolean> {
    try {
      // Forget its offsets first: without its folder they would look like lost data.
      await this.#offsetsCheckpoint.run();
      this.#context.pool.forget(`${this.#options.dir}/${name}/`);
      await this.#trash.take(`${this.#options.dir}/${name}`);
      return true;
    } catch (error) {
      if (!isDiskFull(error)) {
        await this.#fail(error);
        throw new KafkaError('KAFKA_STORAGE_ERROR', `cannot remove the log ${name}`, { cause: error });
      }
      this.#context.events.diskFull(name, asError(error).message);
      return false;
    }
  }

  /** The controller knows, for good, what `cleanShutdown` says. */
  async lossTold(): Promise<void> {
    if (this.#isClosing) return;
    try {
      await this.#marks.told();
    } catch (error) {
      // What stays makes the next start tell it again, which costs a copy and no record.
      if (!isDiskFull(error)) await this.#fail(error);
    }
  }

  /** One pass over all logs; also runs by itself every `retentionIntervalMs`. */
  async applyRetention(nowWallMs: number): Promise<void> {
    for (const log of [...this.#logs.values()]) await log.applyRetention(nowWallMs);
  }

  /** Syncs everything and leaves the mark of a clean stop. No appends may follow. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const timer of this.#timers) this.#options.timers.clear(timer);
    this.#trash.close();
    await Promise.all(this.#changes.values());
    await this.#rounds.idle();
    const logs = [...this.#logs.values()];
    const isWritten = !this.#rounds.isBroken && logs.every((log) => !log.isDirty);
    const isWhole = isWritten && (await this.#leaveForCleanStart(logs));
    for (const log of logs) log.markClosed();
    this.#rounds.stop();
    await this.#context.pool.close();
    const { dir, logger } = this.#options;
    if (!isWhole) {
      logger.warn({ dir }, 'Closed with writes that the disk did not take, so not marked as clean');
      return;
    }
    await this.#marks.closed();
  }

  /** Writes what spares the next start a scan; false where a full disk did not take it. */
  async #leaveForCleanStart(logs: readonly PartitionLog[]): Promise<boolean> {
    try {
      for (const log of logs) await log.closeFiles();
      await this.#offsetsCheckpoint.run();
      return true;
    } catch (error) {
      if (isDiskFull(error)) return false;
      await this.#fail(error);
      throw error;
    }
  }

  async #create(name: string, config: LogConfig): Promise<PartitionLog> {
    if (this.#isClosing) throw new KafkaError('NOT_LEADER_OR_FOLLOWER', 'the broker is stopping');
    try {
      await this.#options.disk.mkdir(`${this.#options.dir}/${name}`);
      await this.#dirSync.run();
    } catch (error) {
      if (!isDiskFull(error)) await this.#fail(error);
      throw new KafkaError('KAFKA_STORAGE_ERROR', `cannot create the log ${name}`, { cause: error });
    }
    return this.#add(name, emptyLog(this.#context, config, 0));
  }

  #add(name: string, state: LogState): PartitionLog {
    const log = new PartitionLog({
      ...idsOf(name),
      state,
      files: this.#filesOf(name),
      context: this.#context,
      rounds: this.#rounds,
    });
    this.#logs.set(name, log);
    return log;
  }

  #filesOf(name: string): LogFiles {
    return new LogFiles(this.#options.disk, this.#context.pool, `${this.#options.dir}/${name}`);
  }

  async #recover(
    names: readonly string[],
    last: { isClean: boolean; pageCacheLost: boolean; mustRewrite: boolean },
  ): Promise<void> {
    const checkpoints = await this.#readOffsets();
    const folders = names.filter((name) => FOLDER_NAME.test(name));
    for (const { name, recoveryPoint, logStartOffset } of checkpoints.values()) {
      if (folders.includes(name) || recoveryPoint <= logStartOffset) continue;
      // Recovered like any other: as a log whose segments are missing.
      await this.#options.disk.mkdir(`${this.#options.dir}/${name}`);
      folders.push(name);
    }
    await this.#dirSync.run();
    const context = this.#context;
    const config = this.#options.config ?? DEFAULT_LOG_CONFIG;
    const recoverNext = async (): Promise<void> => {
      for (let name = folders.shift(); name !== undefined; name = folders.shift()) {
        const checkpoint = checkpoints.get(name);
        const files = this.#filesOf(name);
        this.#add(name, await recoverLog({ context, files, config, checkpoint, ...idsOf(name), ...last }));
      }
    };
    await Promise.all(Array.from({ length: this.#limits.recoveriesMax }, recoverNext));
  }

  async #readOffsets(): Promise<Map<string, OffsetsCheckpoint>> {
    const { disk, dir, logger } = this.#options;
    const bytes = await readIfExists(disk, `${dir}/${OFFSETS_FILE}`);
    const entries = bytes && decodeOffsets(bytes);
    if (bytes !== undefined && entries === undefined) {
      logger.warn({ dir }, 'The offsets checkpoint is damaged; every log is scanned from its start');
    }
    return new Map(entries?.map((entry) => [entry.name, entry]));
  }

  async #persistOffsets(): Promise<void> {
    const logs = [...this.#logs.values()];
    // Offsets and epochs of the same moment: no recovery point is ahead of the epochs that it lets a scan skip.
    const entries = logs.map((log) => log.checkpoint()).filter((entry) => entry !== undefined);
    await Promise.all(logs.map((log) => log.persistEpochs()));
    const bytes = encodeOffsets(entries);
    const { disk, dir } = this.#options;
    if (this.#offsetsOnDisk !== undefined && equalBytes(bytes, this.#offsetsOnDisk)) return;
    await writeAtomically(disk, dir, OFFSETS_FILE, bytes);
    this.#offsetsOnDisk = bytes;
  }

  #startTimers(): void {
    const { clock } = this.#options;
    this.#every(this.#limits.checkpointIntervalMs, OFFSETS_FILE, () => this.#offsetsCheckpoint.run());
    this.#every(this.#limits.retentionIntervalMs, 'retention', () => this.applyRetention(clock.wallMs()));
  }

  #every(intervalMs: number, what: string, act: () => Promise<void>): void {
    const timer = this.#options.timers.set(intervalMs, () => {
      this.#timers.delete(timer);
      if (this.#isClosing) return;
      const again = () => {
        if (!this.#isClosing) this.#every(intervalMs, what, act);
      };
      const done = () => {
        this.#context.events.diskHasRoom(what);
        again();
      };
      act().then(done, (error) => {
        if (isDiskFull(error) || error instanceof KafkaError) {
          this.#context.events.diskFull(what, asError(error).message);
          again();
        } else {
          void this.#fail(error);
        }
      });
    });
    this.#timers.add(timer);
  }

  #change<T>(name: string, act: () => Promise<T>): Promise<T> {
    const before = this.#changes.get(name) ?? Promise.resolve();
    const change = before.then(act, act);
    this.#changes.set(name, change);
    const done = () => {
      if (this.#changes.get(name) === change) this.#changes.delete(name);
    };
    change.then(done, done);
    return change;
  }

  /** The disk failed. Whatever it holds, the page cache may tell otherwise: the next start must not believe it. */
  async #fail(cause: unknown): Promise<void> {
    if (this.#rounds.isBroken) return;
    this.#rounds.stop();
    this.#isClosing = true;
    const { dir, logger, crash } = this.#options;
    const error = asError(cause);
    logger.error({ err: error, dir }, 'The disk failed; the process ends');
    const end = () => crash(new Error(`disk failure in ${dir}: ${error.message}`, { cause: error }));
    // `crash` may throw where it cannot end the process at once.
    await this.#marks
      .failed()
      .then(end, end)
      .catch(() => {});
  }
}

function idsOf(name: string): { readonly topicId: string; readonly partition: number } {
  const [, topicId = '', partition = ''] = FOLDER_NAME.exec(name) ?? [];
  return { topicId, partition: Number(partition) };
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
