/**
 * `bin/cluster`: a cluster of node processes on this machine, for trying out and for tests. Begin reading in
 * `cluster/local-cluster.ts`.
 */
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { localClusterCommandLine } from './cluster/command-line.ts';
import { run } from './run.ts';

await run('cluster', () => localClusterCommandLine(yargs(hideBin(process.argv))).parseAsync());
