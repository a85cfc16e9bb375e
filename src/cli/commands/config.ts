import type { Argv } from 'yargs';
import { type ConfigArguments, configOptions, loadConfig } from '../node-config.ts';
import { say, sayJson, table } from '../output.ts';

interface Common {
  readonly json: boolean;
}

/** `odradek config show` and `check`: what `start` would make of a file, the environment and `--set`. */
export function configCommand(cli: Argv<Common>): Argv<Common> {
  return cli.command('config', "Show or check a node's configuration", (config) =>
    config
      .command(
        'show',
        'Every key with its value and where that comes from',
        (command) => configOptions(command),
        (args) => show(args),
      )
      .command(
        'check',
        'Say what is wrong, if anything; the exit status is 0 or 2',
        (command) => configOptions(command),
        (args) => check(args),
      )
      .demandCommand(1, 'Name what to do: show or check'),
  );
}

async function show(args: ConfigArguments & Common): Promise<void> {
  const [{ config, origins }, { configKeys }, { writtenConfig }] = await Promise.all([
    loadConfig(args),
    import('../../server/config-keys.ts'),
    import('../../server/written-config.ts'),
  ]);
  const written = new Map(writtenConfig(config));
  const rows = Array.from(configKeys().keys(), (name) => ({
    name,
    value: written.get(name) ?? null,
    source: origins.get(name) ?? 'default',
  }));
  if (args.json) sayJson(rows);
  else
    say(
      table(
        ['key', 'value', 'from'],
        rows.map(({ name, value, source }) => [name, value, source]),
      ),
    );
}

async function check(args: ConfigArguments & Common): Promise<void> {
  const { config } = await loadConfig(args);
  if (args.json) sayJson({ valid: true, nodeId: config.nodeId });
  else say(`The configuration of node ${config.nodeId} is valid.`);
}
