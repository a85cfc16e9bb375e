/**
 * `bin/cluster`: a cluster of node processes on this machine, for trying out and for tests. Begin reading in
 * `cluster/local-cluster.ts`.
 */
import { createReadStream, existsSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { LocalCluster } from './cluster/local-cluster.ts';
import { run, UsageError, usage } from './run.ts';

const open = (argv: { dir: string; nodes: number; basePort: number }) =>
  LocalCluster.open(argv.dir, { nodes: argv.nodes, basePort: argv.basePort });
const say = (text: string) => process.stdout.write(`${text}\n`);

await run('cluster', () =>
  usage(yargs(hideBin(process.argv)), 'cluster')
    .option('nodes', { type: 'number', default: 3, describe: 'How many nodes; the first three vote' })
    .option('dir', {
      type: 'string',
      default: 'data/cluster',
      describe: 'The folder of data, logs and process ids',
    })
    .option('base-port', { type: 'number', default: 7000, describe: 'Node N listens on base port + N' })
    .option('json', { type: 'boolean', default: false, describe: 'Print JSON' })
    .check((argv) => {
      if (!Number.isInteger(argv.nodes) || argv.nodes < 1 || argv.nodes > 100)
        throw new UsageError('--nodes is 1 to 100');
      if (!Number.isInteger(argv['base-port']) || argv['base-port'] < 1 || argv['base-port'] > 65_000) {
        throw new UsageError('--base-port is 1 to 65000');
      }
      return true;
    })
    .command('up', 'Start the nodes and wait until the cluster is writable', {}, async (argv) => {
      const startedMs = Date.now();
      const layout = { nodes: Number(argv.nodes), basePort: Number(argv['base-port']) };
      const cluster = LocalCluster.create(String(argv.dir), layout);
      await cluster.up();
      const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
      if (argv.json) say(JSON.stringify({ bootstrap: cluster.bootstrap, nodes: await cluster.status() }));
      else
        say(`${cluster.nodes.length} nodes are ready after ${seconds} s.\nbootstrap: ${cluster.bootstrap}`);
    })
    .command('down', 'Stop every node gracefully', {}, async (argv) => {
      await open(common(argv)).down();
      if (!argv.json) say('All nodes are stopped.');
    })
    .command('status', "Every node's process id, state and listeners", {}, async (argv) => {
      const status = await open(common(argv)).status();
      if (argv.json) {
        say(JSON.stringify(status));
        return;
      }
      for (const node of status) {
        const note = node.waitingFor ? `  waiting for ${node.waitingFor}` : '';
        say(
          `node ${node.id}  ${node.state.padEnd(8)}  pid ${node.pid ?? '-'}  ${node.listeners.join(' ')}${note}`,
        );
      }
    })
    .command('kill <node>', 'SIGKILL a node', node, async (argv) => {
      const ended = await open(common(argv)).node(argv.node).end('kill');
      say(ended ? `Node ${argv.node} is killed.` : `Node ${argv.node} was not running.`);
    })
    .command('stop <node>', 'Stop a node gracefully: its leaders move first', node, async (argv) => {
      const ended = await open(common(argv)).node(argv.node).end('stop');
      say(ended ? `Node ${argv.node} is stopped.` : `Node ${argv.node} was not running.`);
    })
    .command('start <node>', 'Start a node again and wait until it serves', node, async (argv) => {
      await open(common(argv)).start(argv.node);
      say(`Node ${argv.node} is ready.`);
    })
    .command('logs <node>', "Print a node's log", node, async (argv) => {
      const file = open(common(argv)).node(argv.node).logFile;
      if (!existsSync(file)) throw new Error(`node ${argv.node} has no log yet (${file})`);
      await pipeline(createReadStream(file), process.stdout, { end: false });
    })
    .demandCommand(1, 'Name a command: up, down, status, kill, stop, start or logs')
    .parseAsync(),
);

function node<T>(command: import('yargs').Argv<T>) {
  return command.positional('node', { type: 'number', demandOption: true, describe: 'The id of the node' });
}

function common(argv: Record<string, unknown>): { dir: string; nodes: number; basePort: number } {
  return { dir: String(argv.dir), nodes: Number(argv.nodes), basePort: Number(argv['base-port']) };
}
