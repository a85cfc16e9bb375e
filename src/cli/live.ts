/**
 * `make live`: flights depart in a cluster of its own, and a page in the browser consumes them as they do. The page is in
 * `docs/live-flights/`; begin reading in its `main.js`.
 */
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { Odradek } from '../client/node.ts';
import { Screen } from './demo/screen.ts';
import { Stage } from './demo/stage.ts';
import { interruption } from './interrupt.ts';
import { replayDepartures } from './live/departures-board.ts';
import { PageServer } from './live/page-server.ts';
import { integer } from './options.ts';
import { run, usage } from './run.ts';

const TOPIC = 'flights';
const PARTITIONS = 6;
const PORT_DEFAULT = 7080;
/** A day in a minute and a half. */
const SPEED_DEFAULT = 960;
const SPEED_MAX = 100_000;

await run('live', async () => {
  const { port, speed } = await usage(yargs(hideBin(process.argv)), 'live')
    .usage('live: replays flights through three nodes and serves a page that shows them as they depart')
    .option('port', {
      type: 'string',
      coerce: integer('--port', 0, 65_535),
      default: String(PORT_DEFAULT),
      describe: 'Where the page is served; 0 takes a free port',
    })
    .option('speed', {
      type: 'string',
      coerce: integer('--speed', 1, SPEED_MAX),
      default: String(SPEED_DEFAULT),
      describe: 'How many times faster than life the flights depart',
    })
    .parseAsync();
  // The help text was all that was wanted.
  if (port === undefined || process.argv.includes('--help') || process.argv.includes('-h')) return;
  await perform(Number(port), Number(speed));
});

async function perform(port: number, speed: number): Promise<void> {
  const signal = interruption();
  const screen = new Screen();
  const pages = await listen(port);
  const stage = await Stage.set({ allowedOrigins: pages.origins });
  process.on('exit', () => stage.clear());
  const { cluster } = stage;
  screen.event('starting three nodes');
  await cluster.up();
  const client = new Odradek({ bootstrap: cluster.bootstrap, clientId: 'live' });
  const configs = { 'min.insync.replicas': '2' };
  await client.admin().createTopic({ name: TOPIC, partitions: PARTITIONS, replicationFactor: 3, configs });
  pages.serve({ bootstrap: cluster.bootstrap, speed });
  screen.event(`open ${pages.url} and watch; Ctrl-C ends it`);
  const nodes = cluster.nodes.map(({ id, pid }) => `${pid} (node ${id})`).join(', ');
  screen.event(`to see other nodes take over: kill -9 one of ${nodes}`);
  await replayDepartures({
    producer: client.producer({ lingerMs: 20, compression: 'none' }),
    topic: TOPIC,
    speed,
    signal,
    onFailure: (error) => screen.event(`not acknowledged: ${error.message}`),
  });
  screen.event('stopping');
  await client.close();
  await pages.close();
  await cluster.down();
  process.exit(0);
}

/** Where the usual port is taken, another one will do; one that was asked for will not. */
async function listen(port: number): Promise<PageServer> {
  try {
    return await PageServer.listen(port);
  } catch (error) {
    if (port === PORT_DEFAULT && (error as NodeJS.ErrnoException).code === 'EADDRINUSE')
      return PageServer.listen(0);
    throw error;
  }
}
