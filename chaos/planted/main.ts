/** Hunts every planted bug (or those whose name contains the argument) and prints how many seeds each took. */
import { PLANTED_BUGS } from './bugs.ts';
import { hunt } from './hunt.ts';

const [wanted = ''] = process.argv.slice(2);
let missed = 0;
for (const bug of PLANTED_BUGS.filter(({ name }) => name.includes(wanted))) {
  const startedMs = performance.now();
  const { isCaught, seeds, message } = await hunt(bug);
  if (!isCaught) missed += 1;
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`${bug.name}: ${seeds} seeds of '${bug.scenario}', ${seconds} s: ${message}`);
}
process.exit(missed === 0 ? 0 : 1);
