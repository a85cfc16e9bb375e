/** How many turns are asked of Node.js at once: few at first, since most waits are short. */
const ROUND_MIN = 4;
const ROUND_MAX = 256;

/**
 * Calls `turn` again and again until it returns false or throws; in between, all microtasks run and rejections that
 * nobody handles are reported.
 *
 * To await one setImmediate per turn is a whole round of the event loop each, system calls included: 1.5 us. Node.js
 * does the same between the immediates of one round, so a round of many turns costs a tenth.
 */
export function takeTurns(turn: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const take = () => {
      if (isOver) return;
      try {
        if (turn()) return;
        resolve();
      } catch (error) {
        reject(error);
      }
      isOver = true;
    };
    const round = (turns: number) => {
      if (isOver) return;
      for (let count = 0; count < turns; count += 1) setImmediate(take);
      setImmediate(round, Math.min(2 * turns, ROUND_MAX));
    };
    round(ROUND_MIN);
  });
}
