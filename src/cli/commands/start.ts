import { parseArgs } from 'node:util';
import type { Argv } from 'yargs';
import type { NodeConfig } from '../../server/config.ts';
import type { OdradekNode } from '../../server/node.ts';
import { type ConfigArguments, configOptions, loadConfig } from '../node-config.ts';

/** What a shell reports for a process that a signal ended: 128 and the signal's number. */
const EXIT_SIGNALLED = { SIGINT: 130, SIGTERM: 143 } as const;
/** Beyond `controlledShutdownTimeoutMs`: to hand over the quorum, close connections, and sync and close the logs. */
const CLOSE_TIMEOUT_MS = 10_000;

/** `odradek start`: runs a node in this process until it is told to stop. */
export function startCommand(cli: Argv): Argv {
  return cli.command(
    'start',
    'Run a node until it is told to stop (SIGTERM or Ctrl-C)',
    (command) =>
      configOptions(command).option('pretty', {
        type: 'boolean',
        default: false,
        describe: 'Log lines for people instead of JSON',
      }),
    ({ config, set, pretty }) => start({ config, set: withPretty(set, pretty) }),
  );
}

/**
 * The same for a plain `start` without yargs, whose loading is a good part of a node's start. Undefined leaves the
 * arguments to yargs: for another command, for help, and for complaints.
 */
export function startDirectly(args: readonly string[]): Promise<void> | undefined {
  if (args[0] !== 'start') return undefined;
  try {
    const options = {
      config: { type: 'string' },
      set: { type: 'string', multiple: true },
      pretty: { type: 'boolean' },
    } as const;
    const { config, set = [], pretty = false } = parseArgs({ args: args.slice(1), options }).values;
    return start({ config, set: withPretty(set, pretty) });
  } catch {
    return undefined;
  }
}

function withPretty(set: readonly string[], pretty: boolean): string[] {
  return pretty ? [...set, 'logPretty=true'] : [...set];
}

async function start(args: ConfigArguments): Promise<void> {
  let node: OdradekNode | undefined;
  // Before all that takes time: process 1 of a container is not even ended by a signal without a handler.
  const stopped = stopOnSignals(async () => {
    // Without a node there is nothing to hand over; what recovery does to the logs can be repeated.
    if (!node) process.exit(0);
    await stopInTime(node);
  });
  const [{ config }, { createNode }] = await Promise.all([loadConfig(args), import('../../server/main.ts')]);
  node = await createNode(config);
  try {
    const { joined } = await node.start();
    await Promise.race([joined, stopped]);
  } catch (error) {
    if (!wasStopped(error)) {
      // What is left of the node (timers, connections) must not keep the process.
      process.stderr.write(`odradek: ${explain(error, config)}\n`);
      process.exit(1);
    }
  }
  await stopped;
  process.exit(0);
}

/** Resolves once the first SIGTERM or SIGINT has stopped the node; a second one ends the process at once. */
function stopOnSignals(stop: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    let stopping = false;
    const onSignal = (signal: keyof typeof EXIT_SIGNALLED) => {
      if (stopping) process.exit(EXIT_SIGNALLED[signal]);
      stopping = true;
      stop().then(resolve, reject);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

/** Stops the node, or ends the process when that takes too long: a supervisor would only wait longer to do so. */
async function stopInTime(node: OdradekNode): Promise<void> {
  const timeoutMs = node.config.limits.controlledShutdownTimeoutMs + CLOSE_TIMEOUT_MS;
  const limit = setTimeout(() => {
    process.stderr.write(
      `odradek: still stopping after ${timeoutMs} ms; the logs are recovered at the next start\n`,
    );
    process.exit(1);
  }, timeoutMs);
  await node.stop();
  clearTimeout(limit);
}

/** Told to stop before the node knew its cluster: no failure. */
function wasStopped(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'STOPPED';
}

function explain(error: unknown, { kafka }: NodeConfig): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'EADDRINUSE' && 'port' in error) {
    const key = error.port === kafka.port ? 'kafka.port' : 'port';
    return `port ${error.port} is in use by another process; stop that one, or choose another with --set ${key}=N`;
  }
  return error.message;
}
