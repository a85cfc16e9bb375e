/** Clock, Timers and Random of a browser's page or worker. */

import type { Clock, Random, Timers } from './ports.ts';

/** Browsers fire a timer with a longer delay at once. */
const DELAY_MS_MAX = 2 ** 31 - 1;

export const browserClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

export const browserRandom: Random = {
  float: () => Math.random(),
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
};

/** The DOM's, of which Node.js declares another kind. */
interface Channel {
  readonly port1: { onmessage: (() => void) | null };
  readonly port2: { postMessage(message: null): void };
}

/** What waits for its turn; one message of the channel each. */
const turns: (() => void)[] = [];
let channel: Channel | undefined;

function openChannel(): Channel {
  const opened = new MessageChannel() as unknown as Channel;
  opened.port1.onmessage = () => turns.shift()?.();
  return opened;
}

export const browserTimers: Timers = {
  set: (delayMs, fn) => ({ timer: setTimeout(fn, Math.min(delayMs, DELAY_MS_MAX)) }),
  clear: ({ timer }) => clearTimeout(timer as ReturnType<typeof setTimeout>),
  // Not a timer: browsers hold nested ones back for 4 ms, and those of hidden pages for a second.
  soon: (fn) => {
    turns.push(fn);
    channel ??= openChannel();
    channel.port2.postMessage(null);
  },
};
