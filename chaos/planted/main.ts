/**
 * `make planted`: plants each bug in turn, and tells how many seeds it took until a check caught it. `ONLY=text` takes those
 * whose name has the text; `DOCS=docs/testing.md` writes each row into the table there as soon as it is known. Exit code 1:
 * one got away.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { PLANTED_BUGS } from './bugs/index.ts';
import { hunt } from './hunt.ts';
import { type Row, withRows } from './table.ts';

const SEEDS_MAX = 2000;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    docs: { type: 'string' },
    seeds: { type: 'string', default: `${SEEDS_MAX}` },
    jobs: { type: 'string', default: `${availableParallelism()}` },
  },
});

const chosen = PLANTED_BUGS.filter(({ name }) => name.includes(values.only));
const escaped: string[] = [];
let hunted = 0;
const left = [...chosen];
const huntNext = async (): Promise<void> => {
  for (let bug = left.shift(); bug; bug = left.shift()) {
    const { isCaught, seeds, message, unrelated } = await hunt(bug, Number(values.seeds));
    hunted += 1;
    const outcome = isCaught ? `caught after ${seeds} seeds` : `NOT CAUGHT in ${seeds}`;
    console.log(`${hunted}/${chosen.length} ${bug.name} (${bug.row}): ${outcome}; ${message}`);
    for (const failure of unrelated) console.log(`  not because of it: ${failure}`);
    if (isCaught) document({ bug, seeds, message });
    else escaped.push(bug.name);
  }
};
await Promise.all(Array.from({ length: Number(values.jobs) }, huntNext));
console.log(`\n${hunted - escaped.length} of ${chosen.length} planted bugs were caught`);
if (escaped.length > 0) console.log(`not caught: ${escaped.join(', ')}`);
process.exit(escaped.length > 0 ? 1 : 0);

function document(row: Row): void {
  if (values.docs === undefined) return;
  writeFileSync(values.docs, withRows(readFileSync(values.docs, 'utf8'), [row], PLANTED_BUGS));
}
