import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GroupWorld, type WorldMember } from './group-world.ts';

const MEMBERS_MAX = 6;
const TOPICS = ['a', 'b'];

/** One step of the world, chosen by `kind`; `pick` chooses on what. */
const STEPS: readonly (readonly [weight: number, step: (world: GroupWorld, pick: number) => void])[] = [
  [6, (world, pick) => world.advance(50 + (pick % 400))],
  [1, (world, pick) => world.advance(pick % 7_000)],
  [2, (world, pick) => void (alive(world).length < MEMBERS_MAX && world.addMember(topicsOf(pick)))],
  [8, (world, pick) => on(world, pick, (member) => world.heartbeat(member))],
  [8, (world, pick) => world.deliverRequest(pick)],
  [8, (world) => world.commit(Number.POSITIVE_INFINITY)],
  [2, (world, pick) => world.commit(1 + (pick % 3))],
  [8, (world, pick) => world.deliverAnswer(pick)],
  [2, (world, pick) => on(world, pick, (member) => world.timeOut(member))],
  [3, (world, pick) => on(world, pick, (member) => world.finishRelease(member))],
  [1, (world, pick) => on(world, pick, (member) => world.crash(member))],
  [1, (world, pick) => on(world, pick, (member) => world.leave(member))],
  [1, (world) => world.failover()],
  [1, (world, pick) => world.setTopic(TOPICS[pick % 2] ?? 'a', 1 + (pick % 7))],
  [1, (world, pick) => void (pick % 3 === 0 && world.deleteTopic(TOPICS[pick % 2] ?? 'a'))],
  [1, (world, pick) => on(world, pick, (member) => world.subscribe(member, topicsOf(pick >> 3)))],
  [3, (world, pick) => on(world, pick, (member) => world.sendCommit(member))],
  [3, (world, pick) => world.deliverCommit(pick)],
  [3, (world, pick) => round(world, pick)],
];

const WHEEL = STEPS.flatMap(([weight, step]) => Array.from({ length: weight }, () => step));

function topicsOf(pick: number): string[] {
  return pick % 4 === 3 ? ['a'] : [...TOPICS];
}

const alive = (world: GroupWorld) => world.members.filter((member) => member.alive);

function on(world: GroupWorld, pick: number, act: (member: WorldMember) => void): void {
  const members = alive(world);
  const member = members[pick % Math.max(1, members.length)];
  if (member) act(member);
}

/** A heartbeat there and back without mishap, so that worlds get somewhere. */
function round(world: GroupWorld, pick: number): void {
  on(world, pick, (member) => {
    world.finishRelease(member);
    world.heartbeat(member);
    world.deliverRequest(world.requests.length - 1);
    world.commit(Number.POSITIVE_INFINITY);
    world.deliverAnswer(world.answers.length - 1);
  });
}

const script = fc.array(fc.tuple(fc.nat(WHEEL.length - 1), fc.nat(10_000)), {
  minLength: 20,
  maxLength: 300,
});

function run(steps: readonly (readonly [number, number])[]): GroupWorld {
  const world = new GroupWorld();
  world.addMember([...TOPICS]);
  world.addMember([...TOPICS]);
  world.setTopic('a', 5);
  world.setTopic('b', 3);
  world.commit(2);
  for (const [kind, pick] of steps) {
    WHEEL[kind]?.(world, pick);
    world.checkOwnership();
  }
  return world;
}

describe('GroupCoordinatorCore in a hostile world', () => {
  it('never lets two members consume one partition, and offsets never go back', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(script, (steps) => void run(steps)),
      { numRuns: 2000 },
    );
  });

  it('settles once the world is calm: each partition consumed once, loads even, nothing more written', {
    timeout: 120_000,
  }, () => {
    fc.assert(
      fc.property(script, (steps) => {
        const world = run(steps);
        world.settle(20_000);
        expect(world.unsettled()).toBeUndefined();
        const before = world.recordsWritten;
        world.settle(5_000);
        expect(world.recordsWritten).toBe(before);
        expect(world.unsettled()).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });
});
