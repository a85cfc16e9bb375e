/**
 * `bin/odradek`: runs a node, and is a client of a cluster. One file per group of commands in `commands/`; begin
 * reading in `command-line.ts`. This layer knows `client/` and how to start `server/`, and nothing inside a broker.
 */
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { odradekCommandLine } from './command-line.ts';
import { run } from './run.ts';

await run('odradek', () => odradekCommandLine(yargs(hideBin(process.argv))).parseAsync());
