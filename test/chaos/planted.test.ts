import { describe, expect, test } from 'vitest';
import { PLANTED_BUGS } from '../../chaos/planted/bugs/index.ts';
import { hunt } from '../../chaos/planted/hunt.ts';

const TIMEOUT_MS = 900_000;
/** Those that may take more seeds are hunted by `make planted` alone. */
const SEEDS_MAX = 50;
const quick = PLANTED_BUGS.filter(({ seedsMax }) => seedsMax <= SEEDS_MAX);

/** Each test is a process of its own, and one at a time: tests of real clusters beside them have deadlines. */
describe('planted bugs are caught', () => {
  test.each(quick)('$name ($row)', { timeout: TIMEOUT_MS }, async (bug) => {
    const { isCaught, seeds, message } = await hunt(bug);
    console.log(`${bug.name}: caught after ${seeds} of at most ${bug.seedsMax} seeds: ${message}`);
    expect(isCaught, `${bug.name} survived ${seeds} seeds of '${bug.scenario}'`).toBe(true);
  });
});
