/** What the log's tests share: batches with recognisable contents, and a directory on a simulated machine. */

import type { SimNode } from '../../chaos/sim/node.ts';
import { SimWorld } from '../../chaos/sim/world.ts';
import { DEFAULT_LOG_CONFIG, type LogConfig, type LogLimits } from '../../src/log/log-config.ts';
import { LogDirectory } from '../../src/log/log-directory.ts';
import type { FetchedRecords } from '../../src/log/log-state.ts';
import type { PartitionLog } from '../../src/log/partition-log.ts';
import { RecordBatchBuilder } from '../../src/protocol/record-batch-builder.ts';
import { decodeRecords } from '../../src/protocol/record-decoder.ts';

export const TOPIC = 'AAAAAAAAAAAAAAAAAAAAAA';
export const FOLDER = `/data/log/${TOPIC}-0`;

export interface BatchOptions {
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly timestamp?: number;
}

/** A batch of one record per value, as a client sends it. */
export function batch(values: readonly string[], options: BatchOptions = {}): Uint8Array {
  const { producerId = -1, producerEpoch = -1, baseSequence = -1, timestamp = 1000 } = options;
  const builder = new RecordBatchBuilder({ sizeBytesMax: 2 ** 20 });
  for (const value of values)
    builder.tryAppend({ timestamp, key: null, value: new TextEncoder().encode(value) });
  return builder.build({ producerId, producerEpoch, baseSequence });
}

/** The values in batches, by offset. */
export function valuesIn(records: readonly Uint8Array[]): [offset: number, value: string][] {
  return records.flatMap((bytes) =>
    decodeRecords(bytes).map(({ offset, value }): [number, string] => [
      offset,
      new TextDecoder().decode(value ?? new Uint8Array(0)),
    ]),
  );
}

function config(changes: Partial<LogConfig> = {}): LogConfig {
  return { ...DEFAULT_LOG_CONFIG, retentionMs: -1, ...changes };
}

/** One simulated machine with a log directory, across its crashes. */
export class TestNode {
  readonly world: SimWorld;
  readonly node: SimNode;
  readonly config: LogConfig;
  readonly limits: Partial<LogLimits>;

  constructor(seed: number, changes: Partial<LogConfig> = {}, limits: Partial<LogLimits> = {}) {
    this.world = new SimWorld({ seed });
    this.node = this.world.node('broker');
    this.config = config(changes);
    this.limits = limits;
  }

  openDirectory(): Promise<LogDirectory> {
    const { disk, clock, timers, logger, crash } = this.node.platform;
    const options = { disk, clock, timers, logger, crash, dir: '/data/log', limits: this.limits };
    return LogDirectory.open({ ...options, config: this.config });
  }

  async open(): Promise<LogDirectory> {
    return this.settle(this.openDirectory());
  }

  async openLog(): Promise<PartitionLog> {
    const directory = await this.open();
    return this.settle(directory.create(TOPIC, 0, this.config));
  }

  settle<T>(promise: Promise<T>): Promise<T> {
    return this.world.settle(promise);
  }

  /** Lets everything that was appended reach the disk. */
  async sync(log: PartitionLog): Promise<void> {
    const isSynced = () => log.syncedOffset === log.logEndOffset && log.failed === undefined;
    if (!(await this.world.runUntil(isSynced, 60_000))) throw new Error('the log was not synced');
  }

  crash(kind: 'process' | 'power'): void {
    if (kind === 'process') this.node.processCrash();
    else this.node.powerLoss();
    this.node.restart();
  }

  async read(
    log: PartitionLog,
    offset: number,
    bytesMax = 2 ** 20,
    endOffset = log.logEndOffset,
  ): Promise<FetchedRecords> {
    return this.settle(Promise.resolve(log.read(offset, bytesMax, endOffset)));
  }

  /** Everything in the log, by offset. */
  async readAll(log: PartitionLog, bytesMax = 2 ** 20): Promise<[number, string][]> {
    const values: [number, string][] = [];
    for (let offset = log.logStartOffset; offset < log.logEndOffset; ) {
      const { records, nextOffset } = await this.read(log, offset, bytesMax);
      if (records.length === 0) throw new Error(`no records at offset ${offset}`);
      values.push(...valuesIn(records));
      offset = nextOffset;
    }
    return values;
  }
}
