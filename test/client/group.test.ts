import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Consumer } from '../../src/client/consumer.ts';
import { FakeCluster } from './support/fake-cluster.ts';
import type { Fault } from './support/fake-link.ts';

/** What happens to the group, and when. */
interface Event {
  readonly kind: 'join' | 'leave' | 'crash' | 'move-coordinator' | 'disconnect' | 'expire';
  readonly atMs: number;
  readonly pick: number;
}

interface Running {
  readonly name: string;
  readonly consumer: Consumer;
  /** What its listener was told. */
  readonly told: Set<string>;
  state: 'running' | 'leaving' | 'crashed';
}

const eventArbitrary: fc.Arbitrary<Event> = fc.record({
  kind: fc.constantFrom('join', 'join', 'join', 'leave', 'crash', 'move-coordinator', 'disconnect', 'expire'),
  atMs: fc.nat(8_000),
  pick: fc.nat(100),
});

const heartbeatFaults: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Fault>({ kind: 'ok' }) },
  { weight: 1, arbitrary: fc.constant<Fault>({ kind: 'lose-reply' }) },
  { weight: 1, arbitrary: fc.constant<Fault>({ kind: 'lose-request' }) },
  { weight: 1, arbitrary: fc.constant<Fault>({ kind: 'refuse', error: 'COORDINATOR_LOAD_IN_PROGRESS' }) },
);

class Group {
  readonly fake: FakeCluster;
  readonly members: Running[] = [];
  readonly partitionCount: number;

  constructor(seed: number, partitionCount: number) {
    this.fake = new FakeCluster(seed);
    this.fake.addTopic('t', partitionCount);
    this.partitionCount = partitionCount;
    this.fake.world.onAfterEvent.push(() => this.checkOwners());
  }

  join(slowMs: number): void {
    const name = `client-${this.members.length}`;
    const cluster = this.fake.connect({ requestTimeoutMs: 400 }, name);
    const consumer = new Consumer(cluster, { group: 'g', autoOffsetReset: 'earliest' });
    const told = new Set<string>();
    const running: Running = { name, consumer, told, state: 'running' };
    this.members.push(running);
    consumer.subscribe('t', {
      onAssigned: (partitions) => {
        for (const { partition } of partitions) told.add(`${partition}`);
      },
      onRevoked: (partitions) => {
        for (const { partition } of partitions) told.delete(`${partition}`);
      },
      onLost: (partitions) => {
        for (const { partition } of partitions) told.delete(`${partition}`);
      },
    });
    const { timers } = this.fake.world.node(name).platform;
    void (async () => {
      while (running.state === 'running') {
        await consumer.poll(100);
        // The application is busy with what it got.
        await new Promise<void>((resolve) => timers.set(slowMs, resolve));
      }
    })().catch((error: { code?: string }) => {
      if (error.code !== 'CLOSED') throw error;
    });
  }

  apply({ kind, pick }: Event): void {
    const running = this.members.filter(({ state }) => state === 'running');
    const chosen = running[pick % Math.max(1, running.length)];
    if (kind === 'join' && running.length < 5) this.join((pick % 4) * 60);
    else if (kind === 'move-coordinator') this.fake.coordinatorNode = (pick % 3) + 1;
    else if (kind === 'disconnect') this.fake.disconnect((pick % 3) + 1);
    else if (kind === 'expire') {
      const [id] = this.fake.coordinator.members.keys();
      if (id !== undefined) this.fake.coordinator.members.delete(id);
    } else if (kind === 'crash' && chosen !== undefined) {
      chosen.state = 'crashed';
      this.fake.crashed.add(chosen.name);
    } else if (kind === 'leave' && chosen !== undefined) {
      chosen.state = 'leaving';
      void chosen.consumer.close();
    }
  }

  /** Among the members that the coordinator counts on, nobody shares a partition. */
  checkOwners(): void {
    const owners = new Map<string, string>();
    for (const { name, consumer, told, state } of this.members) {
      const memberId = consumer.groupMetadata()?.memberId;
      const isCurrent = memberId !== undefined && this.fake.coordinator.members.has(memberId);
      if (state === 'crashed' || !isCurrent) continue;
      const held = new Set([
        ...told,
        ...(state === 'running' ? consumer.assignment() : []).map((p) => `${p.partition}`),
      ]);
      for (const partition of held) {
        const other = owners.get(partition);
        if (other !== undefined) throw new Error(`${other} and ${name} both own partition ${partition}`);
        owners.set(partition, name);
      }
    }
  }

  ownedInAll(): string[] {
    return this.members
      .filter(({ state }) => state === 'running')
      .flatMap(({ consumer }) => consumer.assignment().map(({ partition }) => `${partition}`))
      .sort();
  }
}

/** The answer with a grant is lost, and by the next heartbeat the partition is to be another's. */
const GRANT_LOST: [number, number, Event[], Fault[]] = [
  0,
  1,
  [
    { kind: 'join', atMs: 4362, pick: 0 },
    { kind: 'join', atMs: 0, pick: 0 },
    { kind: 'join', atMs: 4259, pick: 6 },
  ],
  [{ kind: 'ok' }, { kind: 'lose-reply' }],
];

test('a member takes up what it was granted while no broker could name the topic', async () => {
  const group = new Group(7, 2);
  const { fake } = group;
  group.join(0);
  await fake.world.run(1_000);
  expect(group.ownedInAll()).toEqual(['0', '1']);
  // As after a restart of all nodes: the members are forgotten, and brokers answer before they know any topic.
  fake.knowsTopics = false;
  fake.disconnect(1);
  fake.coordinator.members.clear();
  await fake.world.run(4_000);
  expect(group.ownedInAll()).toEqual([]);
  fake.knowsTopics = true;
  await fake.world.run(8_000);
  expect(group.ownedInAll()).toEqual(['0', '1']);
});

test('no partition has two owners at a time, and in the end each has one', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.integer({ min: 1, max: 6 }),
      fc.array(eventArbitrary, { maxLength: 12 }),
      fc.array(heartbeatFaults, { maxLength: 60 }),
      async (seed, partitionCount, events, faults) => {
        const group = new Group(seed, partitionCount);
        const { fake } = group;
        let next = 0;
        fake.fault = (api) =>
          api === 'ConsumerGroupHeartbeat' || api === 'OffsetCommit'
            ? (faults[next++] ?? { kind: 'ok' })
            : { kind: 'ok' };
        group.join(0);
        for (const event of events) fake.world.schedule(event.atMs, event.kind, () => group.apply(event));
        await fake.world.run(8_000);
        // Somebody is left to own them all.
        if (!group.members.some(({ state }) => state === 'running')) group.join(0);
        await fake.world.run(fake.nowMs + 6_000);
        expect(group.ownedInAll()).toEqual(Array.from({ length: partitionCount }, (_, i) => `${i}`));
        for (const running of group.members) running.state = 'leaving';
        await fake.world.settle(
          Promise.all(
            group.members.map(({ name, consumer }) =>
              fake.crashed.has(name) ? undefined : consumer.close(),
            ),
          ),
        );
      },
    ),
    { numRuns: 60, examples: [GRANT_LOST] },
  );
});
