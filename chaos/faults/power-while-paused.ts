import * as fc from 'fast-check';
import { faultKind, HELD_BACK } from './fault.ts';
import { aTarget } from './target.ts';

/**
 * A node is frozen, all others lose their power and start again, and then the frozen one goes on as though nothing had
 * happened (what split NATS 2.12.1).
 */
export const powerWhilePaused = faultKind({
  kind: 'powerWhilePaused',
  weight: 1,
  params: fc.record({
    target: aTarget,
    afterMs: fc.integer({ min: 1, max: 2500 }),
    downMs: fc.integer({ min: 1, max: 800 }),
  }),
  strike: ({ target, afterMs, downMs }, on) => {
    const frozen = on.resolve(target);
    if (!frozen.machine.running || frozen.machine.paused) return HELD_BACK;
    frozen.machine.pause();
    let isOver = false;
    let restarts: (() => void)[] = [];
    const restart = () => {
      for (const start of restarts.splice(0)) start();
    };
    on.world.schedule(afterMs, 'power while paused', () => {
      if (isOver) return;
      restarts = on.cluster.nodes.filter((other) => other !== frozen).map((other) => on.kill(other, 'power'));
      on.world.schedule(downMs, 'power is back', restart);
    });
    return () => {
      isOver = true;
      restart();
      if (frozen.machine.paused) frozen.machine.resume();
    };
  },
});
