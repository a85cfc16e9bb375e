import type { Timers } from './ports.ts';

/** Node.js fires a timer with a longer delay at once. */
const DELAY_MS_MAX = 2 ** 31 - 1;

export const nodeTimers: Timers = {
  set: (delayMs, fn) => ({ timer: setTimeout(fn, Math.min(delayMs, DELAY_MS_MAX)) }),
  clear: ({ timer }) => clearTimeout(timer as NodeJS.Timeout),
  soon: (fn) => {
    setImmediate(fn);
  },
};
