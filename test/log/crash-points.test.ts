/** The process or the power ends at every single step of what the log does to its files; then it ends once more in recovery. */
import { describe, expect, test } from 'vitest';
import type { LogDirectory } from '../../src/log/log-directory.ts';
import type { PartitionLog } from '../../src/log/partition-log.ts';
import { batch, TestNode, TOPIC } from './support.ts';

interface Scene {
  readonly node: TestNode;
  readonly directory: LogDirectory;
  readonly log: PartitionLog;
  /** What the log held, synced, before the scene. */
  readonly before: [number, string][];
}

interface Outcome {
  readonly log: PartitionLog;
  readonly values: [number, string][];
  readonly finished: boolean;
  /** The largest `syncedOffset` seen before the crash. */
  readonly acknowledged: number;
  readonly directory: LogDirectory;
}

const RECORDS = 24;

function append(log: PartitionLog, count: number, epoch: number): void {
  for (let i = 0; i < count; i++) {
    log.appendAsLeader(batch([`epoch ${epoch} value ${log.logEndOffset} ${'x'.repeat(150)}`]), epoch, 0);
  }
}

async function crashAt(
  stepsMax: number,
  kind: 'process' | 'power',
  act: (scene: Scene) => Promise<unknown>,
): Promise<{ scene: Scene; outcome: Outcome }> {
  const node = new TestNode(stepsMax, { segmentBytes: 1000 }, { tailCacheBytesMax: 800 });
  const directory = await node.open();
  const log = await node.settle(directory.create(TOPIC, 0, node.config));
  append(log, RECORDS, 1);
  await node.sync(log);
  log.setHighWatermark(RECORDS);
  const before = await node.readAll(log);
  const scene = { node, directory, log, before };
  let finished = false;
  let acknowledged = 0;
  log.onSynced = () => {
    acknowledged = log.syncedOffset;
  };
  act(scene).then(
    () => {
      finished = true;
    },
    () => {},
  );
  for (let steps = 0; steps < stepsMax && !finished; steps++) await node.world.step();
  const finishedBefore = finished;
  node.crash(kind);
  // And again while it recovers.
  node.openDirectory().catch(() => {});
  for (let steps = 0; steps < stepsMax % 23; steps++) await node.world.step();
  node.crash(kind === 'power' ? 'process' : 'power');
  const reopened = await node.open();
  const again = await node.settle(reopened.create(TOPIC, 0, node.config));
  const values = again.failed === undefined ? await node.readAll(again) : [];
  return {
    scene,
    outcome: { log: again, values, finished: finishedBefore, acknowledged, directory: reopened },
  };
}

async function atEveryStep(
  act: (scene: Scene) => Promise<unknown>,
  check: (scene: Scene, outcome: Outcome, steps: number) => void,
): Promise<void> {
  for (const kind of ['process', 'power'] as const) {
    let finishedTimes = 0;
    for (let steps = 0; finishedTimes < 3; steps++) {
      if (steps > 1000) throw new Error('the scene never ends');
      const { scene, outcome } = await crashAt(steps, kind, act);
      expect([kind, steps, outcome.log.failed]).toEqual([kind, steps, undefined]);
      check(scene, outcome, steps);
      if (outcome.finished) finishedTimes += 1;
    }
  }
}

async function synced(node: TestNode, log: PartitionLog): Promise<void> {
  const wait = (): Promise<void> =>
    new Promise<void>((resolve) => node.node.platform.timers.set(0.1, () => resolve())).then(() =>
      log.syncedOffset === log.logEndOffset ? undefined : wait(),
    );
  await wait();
}

describe('a crash at every step', () => {
  test('of appends that roll segments', async () => {
    await atEveryStep(
      async ({ node, log }) => {
        append(log, 9, 2);
        await synced(node, log);
        append(log, 3, 3);
        await synced(node, log);
      },
      ({ before }, { values, acknowledged, finished, log }) => {
        expect(values.slice(0, RECORDS)).toEqual(before);
        expect(log.logEndOffset).toBeGreaterThanOrEqual(acknowledged);
        if (finished) expect(log.logEndOffset).toBe(RECORDS + 12);
        for (const [offset, value] of values.slice(RECORDS)) {
          expect(value.startsWith(`epoch ${offset < RECORDS + 9 ? 2 : 3} value ${offset} `)).toBe(true);
        }
      },
    );
  });

  for (const target of [RECORDS - 1, RECORDS - 6, 3, 0]) {
    test(`of a truncation to ${target} and appends after it`, async () => {
      await atEveryStep(
        async ({ node, log }) => {
          await log.truncateTo(target);
          append(log, 4, 7);
          await synced(node, log);
        },
        ({ before }, { values, finished, log }) => {
          const isNew = values.findIndex(([, value]) => value.startsWith('epoch 7'));
          const kept = isNew < 0 ? values : values.slice(0, isNew);
          expect(kept).toEqual(before.slice(0, kept.length));
          expect(kept.length).toBeGreaterThanOrEqual(target);
          if (isNew >= 0) expect(isNew).toBe(target);
          if (finished) expect(values.length).toBe(target + 4);
          if (isNew >= 0) expect(log.epochAt(target)).toBe(7);
        },
      );
    });
  }

  test('of a reset', async () => {
    await atEveryStep(
      async ({ node, log }) => {
        await log.resetTo(10);
        append(log, 2, 7);
        await synced(node, log);
      },
      ({ before }, { values, finished, log, acknowledged }) => {
        if (log.logEndOffset === RECORDS) expect(values).toEqual(before);
        else for (const [, value] of values) expect(value.startsWith('epoch 7')).toBe(true);
        if (finished) expect([log.logStartOffset, log.logEndOffset]).toEqual([10, 12]);
        if (acknowledged === 12) expect(log.logEndOffset).toBe(12);
      },
    );
  });

  test('of moving the log start', async () => {
    await atEveryStep(
      ({ log }) => log.advanceLogStartOffset(13),
      ({ before }, { values, finished, log }) => {
        expect([0, 13]).toContain(log.logStartOffset);
        if (finished) expect(log.logStartOffset).toBe(13);
        const first = values[0]?.[0] ?? 0;
        expect(first).toBeLessThanOrEqual(log.logStartOffset);
        expect(values).toEqual(before.slice(first));
      },
    );
  });

  test('of a clean stop', async () => {
    await atEveryStep(
      ({ directory, log }) => {
        append(log, 2, 4);
        return directory.close();
      },
      ({ before }, { values, finished, acknowledged, log }) => {
        expect(values.slice(0, RECORDS)).toEqual(before);
        expect(log.logEndOffset).toBeGreaterThanOrEqual(finished ? RECORDS + 2 : acknowledged);
      },
    );
  });

  test('of a removal: the log is there whole, or gone', async () => {
    await atEveryStep(
      ({ directory }) => directory.remove(TOPIC, 0),
      ({ before }, { values, finished }) => {
        if (values.length > 0) expect(values).toEqual(before);
        if (finished) expect(values).toEqual([]);
      },
    );
  });
});
