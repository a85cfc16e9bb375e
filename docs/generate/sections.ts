import { commandHelp } from './command-help.ts';
import { configTable } from './config-table.ts';
import { clientErrorTable, kafkaErrorTable } from './error-tables.ts';
import { metricTable } from './metric-table.ts';
import { topicConfigTable } from './topic-config-table.ts';

/** What a page can have generated: the name in its marker, and the Markdown. */
export const sections: Readonly<Record<string, () => string | Promise<string>>> = {
  configs: configTable,
  'topic-configs': topicConfigTable,
  commands: commandHelp,
  metrics: metricTable,
  'client-errors': clientErrorTable,
  'kafka-errors': kafkaErrorTable,
};
