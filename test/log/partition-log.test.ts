import { describe, expect, test } from 'vitest';
import { batch, FOLDER, TestNode, TOPIC, valuesIn } from './support.ts';

describe('a partition log', () => {
  test('assigns offsets and serves reads from memory at once', async () => {
    const node = new TestNode(1);
    const log = await node.openLog();
    expect(log.appendAsLeader(batch(['a', 'b']), 3, 0)).toEqual({
      baseOffset: 0,
      lastOffset: 1,
      duplicate: false,
    });
    expect(log.appendAsLeader(batch(['c']), 3, 0)).toEqual({
      baseOffset: 2,
      lastOffset: 2,
      duplicate: false,
    });
    expect(log.logEndOffset).toBe(3);
    expect(log.syncedOffset).toBe(0);
    const read = log.read(1, 1, 3);
    expect(read).not.toBeInstanceOf(Promise);
    const { records, nextOffset } = await read;
    expect(valuesIn(records)).toEqual([
      [0, 'a'],
      [1, 'b'],
    ]);
    expect(nextOffset).toBe(2);
    await node.sync(log);
    expect(log.syncedOffset).toBe(3);
  });

  test('keeps what was synced across a clean stop and across crashes', async () => {
    for (const stop of ['clean', 'process', 'power'] as const) {
      const node = new TestNode(2);
      let directory = await node.open();
      await node.settle(directory.lossTold());
      let log = await node.settle(directory.create(TOPIC, 0, node.config));
      for (let i = 0; i < 20; i++) log.appendAsLeader(batch([`value ${i}`]), 1, 0);
      await node.sync(log);
      const before = await node.readAll(log);
      if (stop === 'clean') await node.settle(directory.close());
      node.crash(stop === 'power' ? 'power' : 'process');
      directory = await node.open();
      expect(directory.cleanShutdown).toBe(stop !== 'power');
      log = directory.get(TOPIC, 0) ?? expect.fail('no log');
      expect(log.failed).toBeUndefined();
      expect(log.syncedOffset).toBe(20);
      expect(await node.readAll(log)).toEqual(before);
      expect(log.epochs).toEqual([{ epoch: 1, startOffset: 0 }]);
      log.appendAsLeader(batch(['after']), 2, 0);
      await node.sync(log);
      expect((await node.readAll(log)).at(-1)).toEqual([20, 'after']);
      const scans = node.world.log.filter((line) => line.message.startsWith('Recovered a log'));
      expect(scans.length).toBe(stop === 'clean' ? 0 : 1);
      expect(node.node.disk.files().has(`${FOLDER}/00000000000000000000.log`)).toBe(true);
    }
  });
});
