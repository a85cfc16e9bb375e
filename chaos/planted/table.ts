/** The table of planted bugs in the documentation: rows are replaced one by one, so that it can be completed in several runs. */
import type { PlantedBug } from './planted-bug.ts';

const TABLE = /<!-- planted -->\n[\s\S]*?<!-- \/planted -->/;
const HEADING = [
  '| planted bug | row of HAZARDS | plans | seeds needed | caught by |',
  '| --- | --- | --- | --- | --- |',
];
const RULE_CHARACTERS_MAX = 90;

export interface Row {
  readonly bug: PlantedBug;
  readonly seeds: number;
  /** What tripped. */
  readonly message: string;
}

/** The text with these rows in its table, in the order of all bugs; those of bugs that are no more are left out. */
export function withRows(text: string, rows: readonly Row[], all: readonly PlantedBug[]): string {
  const [table = ''] = TABLE.exec(text) ?? [];
  const known = table.split('\n');
  const lines = all.flatMap((bug) => {
    const row = rows.find((each) => each.bug === bug);
    return row ? [lineOf(row)] : known.filter((line) => line.startsWith(`| ${bug.name} | `));
  });
  return text.replace(TABLE, () =>
    ['<!-- planted -->', ...HEADING, ...lines, '<!-- /planted -->'].join('\n'),
  );
}

function lineOf({ bug, seeds, message }: Row): string {
  return `| ${bug.name} | ${bug.row} | ${bug.scenario} | ${seeds} | ${ruleOf(message)} |`;
}

/** What tripped, without the state of the moment; of what has several lines the second says more. */
function ruleOf(message: string): string {
  const text = message.replace(/^\w+: seed \d+, at \d+ virtual ms: /, '');
  const [first = '', second = ''] = text.split(/; +/);
  const verdict = message.slice(0, message.indexOf(':'));
  const isListed = /^(Stuck|HistoryAnomaly): /.test(first);
  const rule = isListed ? second : first.replace(/^InvariantViolation: /, '');
  const short = verdict === 'safety' ? rule.replace(/: .*/, '') : rule;
  return `${verdict}: ${short.slice(0, RULE_CHARACTERS_MAX).replaceAll('|', '/').trim()}`;
}
