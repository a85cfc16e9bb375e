import { describe, expect, test } from 'vitest';
import { SimWorld } from '../../../chaos/sim/world.ts';
import type { Platform } from '../../../src/platform/ports.ts';

/** Three nodes that chatter, write, sync, cut links and crash: every source of chance takes part. */
async function chatter(seed: number): Promise<string> {
  const world = new SimWorld({ seed });
  world.network.conditions.resetRate = 0.01;
  const names = ['a', 'b', 'c'];
  const boot = async (name: string, platform: Platform) => {
    const { network, disk, timers, random } = platform;
    const file = await disk.open(`/${name}.log`, { create: true });
    await network.listen({
      host: name,
      port: 1,
      messageBytesMax: 1 << 20,
      connectionsMax: 10,
      onConnection: () => ({
        onMessage: async (parts) => {
          await file.write(await file.size(), parts);
          await file.sync();
        },
        onClose: ({ message }) => platform.logger.info({}, message),
      }),
    });
    const tick = () => {
      const target = names[Math.floor(random.float() * names.length)];
      const connection = network.connect(
        `ws://${target}:1`,
        { messageBytesMax: 1 << 20, connectTimeoutMs: 50 },
        { onMessage: () => {}, onClose: () => {} },
      );
      connection.send([random.bytes(100)]);
      timers.set(random.float() * 20, tick);
    };
    timers.set(1, tick);
  };
  for (const name of names) void boot(name, world.node(name).platform);
  await world.run(200);
  world.network.cut('a', ['b', 'c']);
  world.node('b').powerLoss();
  await world.run(400);
  world.network.heal();
  void boot('b', world.node('b').restart());
  await world.run(600);
  return world.traceHash;
}

describe('SimWorld', () => {
  test('a seed replays to the bit, and seeds differ', async () => {
    const hashes = [];
    for (const seed of [1, 1, 2, 2, 3]) hashes.push(await chatter(seed));
    expect(hashes[0]).toBe(hashes[1]);
    expect(hashes[2]).toBe(hashes[3]);
    expect(new Set(hashes).size).toBe(3);
  });

  test('timers run in the order of their deadlines, those of one moment in the order they were set', async () => {
    const world = new SimWorld({ seed: 1 });
    const { timers, clock } = world.node('a').platform;
    const ran: string[] = [];
    timers.set(5, () => ran.push('late'));
    timers.set(1, () => ran.push(`first at ${clock.monotonicMs()}`));
    timers.set(1, () => ran.push('second'));
    timers.clear(timers.set(2, () => ran.push('cancelled')));
    await world.run(10);
    expect(ran).toEqual(['first at 1', 'second', 'late']);
    expect(world.nowMs).toBe(10);
  });

  test('nothing of a crashed process runs again, and its pending promises never settle', async () => {
    const world = new SimWorld({ seed: 1 });
    const node = world.node('a');
    const { timers, disk } = node.platform;
    const ran: string[] = [];
    timers.set(5, () => ran.push('timer'));
    void disk.open('/x', { create: true }).then(() => ran.push('disk'));
    node.processCrash();
    timers.set(1, () => ran.push('set by the dead'));
    await world.run(100);
    expect(ran).toEqual([]);
    node.restart().timers.set(1, () => ran.push('alive'));
    await world.run(200);
    expect(ran).toEqual(['alive']);
  });

  test('platform.crash stops the process at once, without failing the run', async () => {
    const world = new SimWorld({ seed: 1 });
    const { timers, crash } = world.node('a').platform;
    const ran: string[] = [];
    timers.set(1, async () => {
      await Promise.resolve();
      crash(new Error('bad state'));
    });
    timers.set(2, () => ran.push('after'));
    await world.run(10);
    expect(ran).toEqual([]);
    expect(world.node('a').running).toBe(false);
    expect(world.node('a').crashes.map(({ message }) => message)).toEqual(['bad state']);
  });

  test('an error nobody caught fails the run', async () => {
    const world = new SimWorld({ seed: 1 });
    world.node('a').platform.timers.set(1, async () => {
      throw new Error('lost promise');
    });
    await expect(world.run(10)).rejects.toThrow('lost promise');
    world.node('a').platform.timers.set(1, () => {
      throw new Error('thrown');
    });
    await expect(world.run(20)).rejects.toThrow('thrown');
  });

  test('a paused process catches up when resumed; its clock went on', async () => {
    const world = new SimWorld({ seed: 1 });
    const node = world.node('a');
    const { timers, clock } = node.platform;
    const ranAtMs: number[] = [];
    timers.set(5, () => ranAtMs.push(clock.monotonicMs()));
    const late = timers.set(6, () => ranAtMs.push(-1));
    node.pause();
    await world.run(50);
    expect(ranAtMs).toEqual([]);
    timers.clear(late);
    node.resume();
    await world.run(60);
    expect(ranAtMs).toEqual([50]);
  });

  test('wall clocks can be apart and jump, monotonic ones do not', async () => {
    const world = new SimWorld({ seed: 1, startWallMs: 1000 });
    world.node('b').wallOffsetMs = -200;
    await world.run(10);
    expect(world.node('a').platform.clock.wallMs()).toBe(1010);
    expect(world.node('b').platform.clock.wallMs()).toBe(810);
    expect(world.node('b').platform.clock.monotonicMs()).toBe(10);
  });

  test('clocks can run fast: their timers fire early, and they never go back', async () => {
    const world = new SimWorld({ seed: 1 });
    const { clock, timers } = world.node('a').platform;
    await world.run(100);
    world.node('a').drift(2);
    let firedAtMs = 0;
    timers.set(50, () => {
      firedAtMs = world.nowMs;
    });
    await world.run(200);
    expect([firedAtMs, clock.monotonicMs()]).toEqual([125, 300]);
    world.node('a').drift(1);
    await world.run(300);
    expect(clock.monotonicMs()).toBe(400);
  });

  test('checks run after every event and end the run', async () => {
    const world = new SimWorld({ seed: 1 });
    let value = 0;
    world.onAfterEvent.push(() => {
      if (value > 2) throw new Error('invariant: value is at most 2');
    });
    for (const delayMs of [1, 2, 3, 4]) world.schedule(delayMs, 'harness', () => (value += 1));
    await expect(world.run(10)).rejects.toThrow('invariant');
    expect(value).toBe(3);
  });

  test('a busy loop is reported instead of hanging', async () => {
    const world = new SimWorld({ seed: 1 });
    const { timers } = world.node('a').platform;
    const spin = () => timers.soon(spin);
    spin();
    await expect(world.run(10)).rejects.toThrow('busy loop');
  });
});
