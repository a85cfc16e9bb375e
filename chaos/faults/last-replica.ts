import * as fc from 'fast-check';
import { faultKind, HELD_BACK } from './fault.ts';
import { PARTITIONS } from './target.ts';

const LOOK_MS = 50;

/**
 * The followers of a partition take no records any more, so that its ISR shrinks to its leader; that loses its power and
 * starts again, and must not be taken for one that has everything (KIP-966, "last replica standing").
 */
export const lastReplica = faultKind({
  kind: 'lastReplica',
  weight: 1,
  params: fc.record({
    partition: fc.integer({ min: 0, max: PARTITIONS - 1 }),
    downMs: fc.integer({ min: 1, max: 3000 }),
  }),
  strike: ({ partition, downMs }, on) => {
    const current = () => on.image().topicByName(on.workloads.topic.name)?.partitions[partition];
    const before = current();
    if (!before || before.leader < 0) return HELD_BACK;
    const followers = before.replicas.filter((id) => id !== before.leader).map((id) => on.cluster.member(id));
    const refusal = {
      operation: 'write',
      code: 'ENOSPC',
      path: '/log/',
      times: Number.POSITIVE_INFINITY,
    } as const;
    const ends = followers.map(({ machine }) => machine.disk.inject(refusal));
    let isOver = false;
    let restart = () => {};
    const look = () => {
      if (isOver) return;
      const now = current();
      if (now?.leader !== before.leader) return;
      if (now.isr.length > 1) {
        on.world.schedule(LOOK_MS, 'last replica?', look);
        return;
      }
      on.coverage.note('situation', 'last replica lost its power (KIP-966)');
      restart = on.kill(on.cluster.member(now.leader), 'power');
      on.world.schedule(downMs, 'last replica is back', () => restart());
    };
    look();
    return () => {
      isOver = true;
      for (const end of ends) end();
      restart();
      on.restartAll();
    };
  },
});
