import { createReadStream, existsSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Argv } from 'yargs';
import { integer, oneText } from '../options.ts';
import { say, sayJson } from '../output.ts';
import { usage } from '../run.ts';
import { LocalCluster } from './local-cluster.ts';
import type { NodeStatus } from './node-process.ts';
import { BASE_PORT, KAFKA_PORT_OFFSET } from './ports.ts';

interface Common {
  readonly dir: string;
  readonly nodes: number;
  readonly basePort: number;
  readonly kafkaBasePort?: number | undefined;
  readonly json: boolean;
}

interface OneNode extends Common {
  readonly node: number;
}

const NODES = 3;
const NODES_MAX = 100;
const BASE_PORT_MAX = 63_000;

/** The whole command line of `bin/cluster`. */
export function localClusterCommandLine(args: Argv): Argv<Common> {
  const cli = usage(args, 'cluster')
    .usage('cluster <command>: a cluster of node processes on this machine')
    .option('nodes', {
      type: 'string',
      default: NODES,
      coerce: (value: unknown) => integer('--nodes', 1, NODES_MAX)(value) ?? NODES,
      describe: 'How many nodes; the first three vote',
    })
    .option('dir', {
      type: 'string',
      default: 'data/cluster',
      coerce: (value: unknown) => oneText('--dir')(value) ?? '',
      describe: 'The folder of data, logs and process ids',
    })
    .option('base-port', {
      type: 'string',
      default: BASE_PORT,
      coerce: (value: unknown) => integer('--base-port', 1, BASE_PORT_MAX)(value) ?? BASE_PORT,
      describe: 'Node N listens on base port + N',
    })
    .option('kafka-base-port', {
      type: 'string',
      coerce: integer('--kafka-base-port', 1, 65_000),
      describe: `The same for Kafka's clients; base port + ${KAFKA_PORT_OFFSET} unless set`,
    })
    .option('json', { type: 'boolean', default: false, describe: 'Print JSON' });
  return addCommands(cli as unknown as Argv<Common>).demandCommand(
    1,
    'Name a command: up, down, status, kill, stop, start or logs',
  );
}

function addCommands(cli: Argv<Common>): Argv<Common> {
  return cli
    .command('up', 'Start the nodes and wait until the cluster is writable', (command) => command, up)
    .command('down', 'Stop every node gracefully', (command) => command, down)
    .command('status', "Every node's process id, state and listeners", (command) => command, status)
    .command('kill <node>', 'SIGKILL a node', oneNode, (argv) => end(argv, 'kill'))
    .command('stop <node>', 'Stop a node gracefully: its leaders move first', oneNode, (argv) =>
      end(argv, 'stop'),
    )
    .command('start <node>', 'Start a node again and wait until it serves', oneNode, start)
    .command('logs <node>', "Print a node's log", oneNode, logs)
    .demandCommand(
      1,
      'Name a command: up, down, status, kill, stop, start or logs',
    ) as unknown as Argv<Common>;
}

function oneNode(command: Argv<Common>) {
  return command.positional('node', {
    type: 'string',
    demandOption: true,
    coerce: (value: unknown) => integer('<node>', 1, NODES_MAX)(value) ?? 0,
    describe: 'The id of the node',
  });
}

const open = ({ dir, nodes, basePort, kafkaBasePort }: Common) =>
  LocalCluster.open(dir, { nodes, basePort, kafkaBasePort });

async function up({ dir, nodes, basePort, kafkaBasePort, json }: Common): Promise<void> {
  const startedMs = Date.now();
  const cluster = LocalCluster.create(dir, { nodes, basePort, kafkaBasePort });
  await cluster.up();
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
  const count = cluster.nodes.length;
  const { bootstrap, kafkaBootstrap } = cluster;
  if (json) sayJson({ bootstrap, kafka: kafkaBootstrap, nodes: await cluster.status() });
  else
    say(
      `${count} node${count === 1 ? ' is' : 's are'} ready after ${seconds} s.\nbootstrap: ${bootstrap}\nkafka: ${kafkaBootstrap}`,
    );
}

async function down(argv: Common): Promise<void> {
  const ended = await open(argv).down();
  if (argv.json) sayJson({ stopped: ended });
  else say(ended.length === 0 ? 'No node was running.' : 'All nodes are stopped.');
}

async function status(argv: Common): Promise<void> {
  const nodes = await open(argv).status();
  if (argv.json) sayJson(nodes);
  else for (const each of nodes) say(line(each));
}

function line({ id, state, pid, listeners, waitingFor }: NodeStatus): string {
  const note = waitingFor ? `waits for ${waitingFor}` : '';
  return `node ${id}  ${state.padEnd(8)}  pid ${pid ?? '-'}  ${listeners.join(' ')}  ${note}`.trimEnd();
}

async function end(argv: OneNode, how: 'kill' | 'stop'): Promise<void> {
  const ended = await open(argv).node(argv.node).end(how);
  if (argv.json) sayJson({ node: argv.node, ended });
  else if (!ended) say(`Node ${argv.node} was not running.`);
  else say(`Node ${argv.node} is ${how === 'kill' ? 'killed' : 'stopped'}.`);
}

async function start(argv: OneNode): Promise<void> {
  const cluster = open(argv);
  await cluster.start(argv.node);
  if (argv.json) sayJson(await cluster.node(argv.node).status());
  else say(`Node ${argv.node} is ready.`);
}

async function logs(argv: OneNode): Promise<void> {
  const file = open(argv).node(argv.node).logFile;
  if (!existsSync(file)) throw new Error(`node ${argv.node} has no log yet (${file})`);
  await pipeline(createReadStream(file), process.stdout, { end: false });
}
