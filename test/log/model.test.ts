/**
 * The log against a deliberately dumb model: an array of batches. Random appends, truncations, rolls, retention, crashes and
 * restarts; after each restart the log must be a prefix of the model that holds everything acknowledged.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogDirectory } from '../../src/log/log-directory.ts';
import type { PartitionLog } from '../../src/log/partition-log.ts';
import { stampBatch } from '../../src/protocol/record-batch.ts';
import { batch, TestNode, TOPIC, valuesIn } from './support.ts';

type Step =
  | { kind: 'leader'; count: number; pad: number }
  | { kind: 'follower'; counts: number[]; pad: number }
  | { kind: 'epoch' }
  | { kind: 'sync' }
  | { kind: 'wait'; ms: number }
  | { kind: 'truncate'; at: number; append: boolean }
  | { kind: 'reset'; ahead: number }
  | { kind: 'highWatermark'; at: number }
  | { kind: 'start'; at: number }
  | { kind: 'retention' }
  | { kind: 'read'; at: number; bytesMax: number }
  | { kind: 'restart'; how: 'clean' | 'process' | 'power' };

const at = fc.double({ min: 0, max: 1, noNaN: true });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('leader' as const),
      count: fc.integer({ min: 1, max: 4 }),
      pad: fc.integer({ min: 0, max: 700 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('follower' as const),
      counts: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }),
      pad: fc.integer({ min: 0, max: 700 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('epoch' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('sync' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 3 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constant(6000) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('truncate' as const), at, append: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('reset' as const), ahead: fc.integer({ min: -3, max: 5 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('highWatermark' as const), at }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('start' as const), at }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('retention' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      at,
      bytesMax: fc.integer({ min: 1, max: 3000 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('restart' as const),
      how: fc.constantFrom('clean' as const, 'process' as const, 'power' as const),
    }),
  },
);

interface ModelBatch {
  baseOffset: number;
  values: string[];
  epoch: number;
}

class Run {
  readonly node: TestNode;
  directory!: LogDirectory;
  log!: PartitionLog;
  batches: ModelBatch[] = [];
  start = 0;
  end = 0;
  epoch = 0;
  acknowledged = 0;
  nextValue = 0;

  constructor(seed: number, flush: 'sync' | 'os') {
    this.node = new TestNode(
      seed,
      { segmentBytes: 2000, indexIntervalBytes: 300, retentionBytes: 6000, flush },
      { tailCacheBytesMax: 1500, coldReadBytes: 500, openFilesMax: 2, indexCacheBytesMax: 600 },
    );
  }

  async open(): Promise<void> {
    this.directory = await this.node.open();
    this.log = await this.node.settle(this.directory.create(TOPIC, 0, this.node.config));
    this.watch();
  }

  watch(): void {
    this.log.onSynced = (log) => {
      this.acknowledged = Math.max(this.acknowledged, log.syncedOffset);
    };
  }

  values(count: number, pad: number): string[] {
    return Array.from({ length: count }, () => {
      this.nextValue += 1;
      return `v${this.nextValue}-${'x'.repeat(pad)}`;
    });
  }

  flat(): [number, string][] {
    return this.batches.flatMap(({ baseOffset, values }) =>
      values.map((value, i): [number, string] => [baseOffset + i, value]),
    );
  }

  cut(offset: number): void {
    while ((this.batches.at(-1)?.baseOffset ?? -1) >= 0) {
      const last = this.batches.at(-1) as ModelBatch;
      if (last.baseOffset + last.values.length <= offset) break;
      this.batches.pop();
      this.end = last.baseOffset;
    }
    this.acknowledged = Math.min(this.acknowledged, this.end);
  }

  async apply(step: Step): Promise<void> {
    const { log, node } = this;
    switch (step.kind) {
      case 'leader': {
        const values = this.values(step.count, step.pad);
        const { baseOffset } = log.appendAsLeader(
          batch(values),
          this.epoch,
          node.node.platform.clock.wallMs(),
        );
        expect(baseOffset).toBe(this.end);
        this.push(values);
        break;
      }
      case 'follower': {
        const parts: Uint8Array[] = [];
        for (const count of step.counts) {
          const values = this.values(count, step.pad);
          const bytes = batch(values);
          stampBatch(bytes, 0, this.end, this.epoch);
          this.push(values);
          parts.push(bytes);
        }
        log.appendAsFollower(Buffer.concat(parts));
        break;
      }
      case 'epoch':
        this.epoch += 1;
        break;
      case 'sync':
        await node.sync(log);
        break;
      case 'wait':
        await node.world.run(node.world.nowMs + step.ms);
        break;
      case 'truncate': {
        const offset = this.start + Math.floor(step.at * (this.end - this.start + 1));
        const done = log.truncateTo(offset);
        this.cut(offset);
        this.epoch += 1;
        await node.settle(done);
        expect(log.logEndOffset).toBe(this.end);
        break;
      }
      case 'reset': {
        const offset = Math.max(0, this.end + step.ahead);
        const done = log.resetTo(offset);
        this.batches = [];
        this.start = offset;
        this.end = offset;
        this.acknowledged = offset;
        await node.settle(done);
        break;
      }
      case 'highWatermark':
        log.setHighWatermark(this.start + Math.floor(step.at * (log.syncedOffset - this.start + 1)));
        break;
      case 'start': {
        const offset = this.start + Math.floor(step.at * (log.highWatermark - this.start + 1));
        if (offset > log.highWatermark) break;
        await node.settle(log.advanceLogStartOffset(offset));
        this.start = Math.max(this.start, offset);
        break;
      }
      case 'retention':
        await node.settle(this.directory.applyRetention(node.node.platform.clock.wallMs()));
        expect(log.logStartOffset).toBeGreaterThanOrEqual(this.start);
        expect(log.logStartOffset).toBeLessThanOrEqual(Math.max(this.start, log.highWatermark));
        this.start = log.logStartOffset;
        break;
      case 'read': {
        const offset = Math.min(this.end, this.start + Math.floor(step.at * (this.end - this.start + 1)));
        const { records, nextOffset } = await node.read(log, offset, step.bytesMax);
        if (offset < this.end) expect(records.length).toBeGreaterThan(0);
        const got = valuesIn(records);
        const first = got[0]?.[0] ?? offset;
        expect(first).toBeLessThanOrEqual(offset);
        expect(got).toEqual(this.flat().filter(([o]) => o >= first && o < nextOffset));
        break;
      }
      case 'restart':
        await this.restart(step.how);
        break;
    }
  }

  push(values: string[]): void {
    this.batches.push({ baseOffset: this.end, values, epoch: this.epoch });
    this.end += values.length;
  }

  async restart(how: 'clean' | 'process' | 'power'): Promise<void> {
    const { flush } = this.node.config;
    if (how === 'clean') {
      await this.node.settle(this.directory.close());
      this.acknowledged = this.end;
    }
    this.node.crash(how === 'power' ? 'power' : 'process');
    this.directory = await this.node.open();
    this.log = this.directory.get(TOPIC, 0) ?? expect.fail('the log is gone');
    const { log } = this;
    expect(log.failed).toBeUndefined();
    if (flush === 'sync' || how !== 'power')
      expect(log.logEndOffset).toBeGreaterThanOrEqual(this.acknowledged);
    expect(log.logEndOffset).toBeLessThanOrEqual(Math.max(this.end, this.start));
    expect(log.syncedOffset).toBe(log.logEndOffset);
    expect(log.logStartOffset).toBeLessThanOrEqual(this.start);
    // A start that moved without being made durable may be back; what it hid was still there then.
    if (log.logEndOffset < this.start) this.batches = [];
    this.cut(log.logEndOffset);
    this.end = log.logEndOffset;
    this.start = log.logStartOffset;
    this.acknowledged = this.end;
    this.watch();
    await this.check();
  }

  async check(): Promise<void> {
    const { log } = this;
    expect(log.logEndOffset).toBe(this.end);
    const expected = this.flat();
    const all = await this.node.readAll(log, 900);
    const first = all[0]?.[0] ?? this.end;
    expect(first).toBeLessThanOrEqual(this.start);
    expect(all).toEqual(expected.filter(([offset]) => offset >= first));
    for (const { baseOffset, epoch } of this.batches) {
      if (baseOffset >= this.start)
        expect([baseOffset, log.epochAt(baseOffset)]).toEqual([baseOffset, epoch]);
    }
  }
}

for (const flush of ['sync', 'os'] as const) {
  test(`agrees with an array of batches (flush=${flush})`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.array(step, { minLength: 5, maxLength: 40 }), async (seed, steps) => {
        const run = new Run(seed, flush);
        await run.open();
        for (const step of steps) await run.apply(step);
        await run.node.sync(run.log);
        await run.check();
      }),
      { numRuns: Number(process.env.LOG_RUNS ?? 150) },
    );
  });
}
