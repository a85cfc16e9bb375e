/**
 * `make planted`: plants each bug in turn, and tells how many seeds it took until a check caught it. `ONLY=text` takes those
 * whose name has the text; `DOCS=docs/testing.md` writes the table there, between its marks. Exit code 1: one got away.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { PLANTED_BUGS } from './bugs/index.ts';
import { type Hunt, hunt } from './hunt.ts';
import type { PlantedBug } from './planted-bug.ts';

const SEEDS_MAX = 2000;
const TABLE = /<!-- planted -->\n[\s\S]*?<!-- \/planted -->/;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    docs: { type: 'string' },
    seeds: { type: 'string', default: `${SEEDS_MAX}` },
    jobs: { type: 'string', default: `${availableParallelism()}` },
  },
});

interface Found {
  readonly bug: PlantedBug;
  readonly result: Hunt;
}

const chosen = PLANTED_BUGS.filter(({ name }) => name.includes(values.only));
const found: Found[] = [];
const left = [...chosen];
const huntNext = async (): Promise<void> => {
  for (let bug = left.shift(); bug; bug = left.shift()) {
    const result = await hunt(bug, Number(values.seeds));
    found.push({ bug, result });
    const outcome = result.isCaught ? `caught after ${result.seeds} seeds` : `NOT CAUGHT in ${result.seeds}`;
    console.log(`${found.length}/${chosen.length} ${bug.name} (${bug.row}): ${outcome}; ${result.message}`);
  }
};
await Promise.all(Array.from({ length: Number(values.jobs) }, huntNext));

const rows = chosen.flatMap((bug) => {
  const result = found.find((each) => each.bug === bug)?.result;
  return result
    ? [`| ${bug.name} | ${bug.row} | ${bug.scenario} | ${result.seeds} | ${ruleOf(result)} |`]
    : [];
});
const heading = [
  '| planted bug | row of HAZARDS | plans | seeds needed | caught by |',
  '| --- | --- | --- | --- | --- |',
];
const table = [...heading, ...rows].join('\n');
console.log(`\n${table}`);
if (values.docs !== undefined) {
  const text = await readFile(values.docs, 'utf8');
  await writeFile(
    values.docs,
    text.replace(TABLE, () => `<!-- planted -->\n${table}\n<!-- /planted -->`),
  );
}
const escaped = found.filter(({ result }) => !result.isCaught);
console.log(`\n${found.length - escaped.length} of ${chosen.length} planted bugs were caught`);
process.exit(escaped.length > 0 ? 1 : 0);

/** What tripped, without the state of the moment. */
function ruleOf({ message }: Hunt): string {
  const text = message.replace(/^(\w+): seed \d+, at \d+ virtual ms: /, '$1: ');
  return text.split(/[:;] /).slice(0, 3).join(': ').slice(0, 90).replaceAll('|', '/');
}
