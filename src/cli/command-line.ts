import { readFileSync } from 'node:fs';
import type { Argv } from 'yargs';
import { clusterCommand } from './commands/cluster.ts';
import { completionCommand } from './commands/completion.ts';
import { configCommand } from './commands/config.ts';
import { consumeCommand } from './commands/consume.ts';
import { logCommand, metadataCommand } from './commands/dump.ts';
import { groupsCommand } from './commands/groups.ts';
import { produceCommand } from './commands/produce.ts';
import { quorumCommand } from './commands/quorum.ts';
import { startCommand } from './commands/start.ts';
import { topicsCommand } from './commands/topics.ts';
import { DEFAULT_BOOTSTRAP, oneText } from './options.ts';
import { usage } from './run.ts';

const EXIT_STATUSES = `Exit status: 0 done, 1 failed (one line says what to do), 2 the command line or the configuration is wrong.`;

/** The whole command line of `odradek`. What the commands need is imported when one of them runs. */
export function odradekCommandLine(args: Argv): Argv {
  const cli = usage(args, 'odradek')
    .usage('odradek <command>: a replicated log, its nodes and its clients')
    .option('bootstrap', {
      type: 'string',
      default: DEFAULT_BOOTSTRAP,
      coerce: (value: unknown) => oneText('--bootstrap')(value) ?? DEFAULT_BOOTSTRAP,
      describe: 'Nodes to ask first, separated by commas',
    })
    .option('json', { type: 'boolean', default: false, describe: 'Print JSON' })
    .version(packageVersion())
    .epilogue(EXIT_STATUSES)
    .demandCommand(
      1,
      'Name a command: start, topics, produce, consume, groups, cluster, quorum, log, metadata, config or completion',
    );
  startCommand(cli);
  for (const add of [
    topicsCommand,
    produceCommand,
    consumeCommand,
    groupsCommand,
    clusterCommand,
    quorumCommand,
    logCommand,
    metadataCommand,
    configCommand,
    completionCommand,
  ])
    add(cli);
  return cli;
}

/** From `package.json`, as the command line was installed. */
function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string };
  return version;
}
