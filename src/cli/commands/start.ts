import { parseArgs } from 'node:util';
import type { Argv } from 'yargs';
import type { NodeConfig } from '../../server/config.ts';
import { type ConfigArguments, configOptions, loadConfig } from '../node-config.ts';

const EXIT_INTERRUPTED = 130;

/** `odradek start`: runs a node in this process until it is told to stop. */
export function startCommand(cli: Argv): Argv {
  return cli.command(
    'start',
    'Run a node until it is told to stop (SIGTERM or Ctrl-C)',
    configOptions,
    ({ config, set }) => start({ config, set }),
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
    return start({ config, set });
  } catch {
    return undefined;
  }
}

async function start(args: ConfigArguments): Promise<void> {
  const [{ config }, { createNode }] = await Promise.all([loadConfig(args), import('../../server/main.ts')]);
  const node = await createNode(config);
  const stopped = stopOnSignals(() => node.stop());
  try {
    const { joined } = await node.start();
    await Promise.race([joined, stopped]);
  } catch (error) {
    // What is left of the node (timers, connections) must not keep the process.
    process.stderr.write(`odradek: ${explain(error, config)}\n`);
    process.exit(1);
  }
  await stopped;
  process.exit(0);
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

function explain(error: unknown, { kafka }: NodeConfig): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'EADDRINUSE' && 'port' in error) {
    const key = error.port === kafka.port ? 'kafka.port' : 'port';
    return `port ${error.port} is in use by another process; stop that one, or choose another with --set ${key}=N`;
  }
  return error.message;
}
