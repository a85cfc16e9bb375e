import { metricCatalogue } from '../../src/server/metric-catalogue.ts';
import { markdownTable } from './markdown.ts';

/** Every metric of a node. */
export function metricTable(): string {
  const rows = metricCatalogue().map(({ name, type, labels, help, worry }) => [
    `\`${name}\``,
    type,
    labels?.map((label) => `\`${label}\``).join(', ') ?? '',
    help,
    worry ?? '',
  ]);
  return markdownTable(['metric', 'type', 'labels', 'meaning', 'look closer when'], rows);
}
