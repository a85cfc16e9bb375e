import { expect, test } from 'vitest';
import { PLANTED_BUGS } from '../../chaos/planted/bugs/index.ts';
import { withRows } from '../../chaos/planted/table.ts';

const [first, second, third] = PLANTED_BUGS;
const DOCS = `before

<!-- planted -->
| any | heading |
| --- | --- |
| ${third?.name} | row | any | 3 | safety |
| a bug that is no more | row | any | 1 | safety |
| ${first?.name} | row | any | 1 | safety |
<!-- /planted -->

after`;

test('a row is written in its place, beside those of other hunts', () => {
  if (!second) throw new Error('there are too few bugs');
  const message = 'safety: seed 7, at 1234 virtual ms: InvariantViolation: double vote: 3 voted for 1 | 2';
  const text = withRows(DOCS, [{ bug: second, seeds: 7, message }], PLANTED_BUGS);
  const names = [...text.matchAll(/^\| (.*?) \|/gm)].map((match) => match[1]);
  expect(names).toEqual(['planted bug', '---', first?.name, second.name, third?.name]);
  expect(text).toContain(`| ${second.row} | ${second.scenario} | 7 | safety: double vote |`);
  expect([text.startsWith('before\n\n'), text.endsWith('\n\nafter')]).toEqual([true, true]);
});

test('of what waits and of histories it says what', () => {
  if (!second) throw new Error('there are too few bugs');
  const line = (message: string) =>
    withRows(DOCS, [{ bug: second, seeds: 7, message }], [second]).split('\n')[5];
  const at = 'seed 7, at 1234 virtual ms';
  expect(line(`liveness: ${at}: Stuck: 90000 ms after all:;   node 3 waits for its start;   a`)).toContain(
    '| liveness: node 3 waits for its start |',
  );
  expect(line(`safety: ${at}: HistoryAnomaly: 2 anomalies;   duplicate: v1 at 2 and 3`)).toContain(
    '| safety: duplicate |',
  );
});
