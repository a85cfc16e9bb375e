import * as fc from 'fast-check';
import { faultKind } from './fault.ts';
import { aTarget } from './target.ts';

/** A node's process runs in short strokes, as on a machine with too much to do, while its clocks go on. */
export const slowCpu = faultKind({
  kind: 'slowCpu',
  weight: 2,
  params: fc.record({
    target: aTarget,
    runMs: fc.constantFrom<number[]>(1, 20),
    pauseMs: fc.constantFrom<number[]>(20, 150, 600),
  }),
  strike: ({ target, runMs, pauseMs }, on) => {
    const { machine } = on.resolve(target);
    let isOver = false;
    let isOurs = false;
    const resume = () => {
      if (isOurs && machine.paused) machine.resume();
      isOurs = false;
    };
    const stroke = () => {
      if (isOver) return;
      resume();
      on.world.schedule(runMs, 'slow CPU', () => {
        if (isOver) return;
        if (machine.running && !machine.paused) {
          machine.pause();
          isOurs = true;
        }
        on.world.schedule(pauseMs, 'slow CPU', stroke);
      });
    };
    stroke();
    return () => {
      isOver = true;
      resume();
    };
  },
});
