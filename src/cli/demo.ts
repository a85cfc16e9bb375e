/**
 * `make demo`: real flights through a cluster of its own, while nodes and consumers are killed, with the results
 * checked against the file. Begin reading in `demo/run-demo.ts`.
 */
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { runDemo } from './demo/run-demo.ts';
import { Screen } from './demo/screen.ts';
import { Stage } from './demo/stage.ts';
import { integer } from './options.ts';
import { run, usage } from './run.ts';

const FLIGHTS_DEFAULT = 300_000;
const FLIGHTS_MAX = 3_000_000;
const EXIT_INTERRUPTED = 130;

await run('demo', async () => {
  const { flights } = await usage(yargs(hideBin(process.argv)), 'demo')
    .usage(
      'demo: replays real flight departures through three nodes while they are killed, and checks the results',
    )
    .option('flights', {
      type: 'string',
      coerce: integer('--flights', 1000, FLIGHTS_MAX),
      default: process.env.FLIGHTS || String(FLIGHTS_DEFAULT),
      describe: 'How many departures to replay (also the environment variable FLIGHTS)',
    })
    .parseAsync();
  // The help text was all that was wanted.
  if (flights === undefined || process.argv.includes('--help') || process.argv.includes('-h')) return;
  await perform(Number(flights));
});

async function perform(flights: number): Promise<void> {
  const stage = await Stage.set();
  // Whichever way the process ends, its nodes, consumers and folder go first.
  process.on('exit', () => stage.clear());
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      process.stderr.write('\ndemo: interrupted; cleaning up\n');
      process.exit(EXIT_INTERRUPTED);
    });
  }
  try {
    await runDemo(flights, stage, new Screen());
  } catch (error) {
    for (const line of stage.complaints()) process.stderr.write(`${line}\n`);
    throw error;
  }
  process.exit(0);
}
