import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Argv } from 'yargs';
import { asError } from '../../platform/as-error.ts';
import { UsageError } from '../run.ts';

const EXIT_INTERRUPTED = 130;

/** `odradek start`: runs a node in this process until it is told to stop. */
export function startCommand(cli: Argv): Argv {
  return cli.command(
    'start',
    'Run a node until it is told to stop (SIGTERM or Ctrl-C)',
    (command) =>
      command
        .option('config', { type: 'string', demandOption: true, describe: "The node's config file (YAML)" })
        .option('set', {
          type: 'string',
          array: true,
          nargs: 1,
          default: [] as string[],
          describe: 'Override a key of the config, key=value; may be repeated',
        }),
    ({ config, set }) => start(config, set),
  );
}

/**
 * The same for a plain `start` without yargs, whose loading is a good part of a node's start. Undefined leaves the
 * arguments to yargs: for another command, for help, and for complaints.
 */
export function startDirectly(args: readonly string[]): Promise<void> | undefined {
  if (args[0] !== 'start') return undefined;
  try {
    const options = { config: { type: 'string' }, set: { type: 'string', multiple: true } } as const;
    const { config, set = [] } = parseArgs({ args: args.slice(1), options }).values;
    return config === undefined ? undefined : start(config, set);
  } catch {
    return undefined;
  }
}

async function start(file: string, overrides: readonly string[]): Promise<void> {
  const [{ parseNodeConfig, ConfigError }, { createNode }] = await Promise.all([
    import('../../server/config.ts'),
    import('../../server/main.ts'),
  ]);
  const text = readConfig(file);
  let config: ReturnType<typeof parseNodeConfig>;
  try {
    config = parseNodeConfig(text, overrides);
  } catch (error) {
    if (error instanceof ConfigError) throw new Error(`${file}: ${error.message}`);
    throw error;
  }
  const node = await createNode(config);
  const stopped = stopOnSignals(() => node.stop());
  try {
    const { joined } = await node.start();
    await Promise.race([joined, stopped]);
  } catch (error) {
    // What is left of the node (timers, connections) must not keep the process.
    process.stderr.write(`odradek: ${explain(error, config.port)}\n`);
    process.exit(1);
  }
  await stopped;
  process.exit(0);
}

function readConfig(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read the config file: ${asError(error).message}`);
  }
}

/** Resolves once the first SIGTERM or SIGINT has stopped the node; a second one ends the process at once. */
function stopOnSignals(stop: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    let stopping = false;
    const onSignal = () => {
      if (stopping) process.exit(EXIT_INTERRUPTED);
      stopping = true;
      stop().then(resolve, reject);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

function explain(error: unknown, port: number): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'EADDRINUSE') {
    return `port ${port} is in use by another process; stop that one, or choose another with --set port=N`;
  }
  return error.message;
}
