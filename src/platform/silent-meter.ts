import type { Meter } from './ports.ts';

const ignored = { add: () => {}, observe: () => {} };

/** Measures nothing: for simulations and tests, and whoever does not ask. */
export const silentMeter: Meter = {
  counter: () => ignored,
  histogram: () => ignored,
  onScrape: () => {},
  scrape: async () => ({ contentType: 'text/plain; charset=utf-8', body: '' }),
  now: () => 0,
};
