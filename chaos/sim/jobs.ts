/** Hands seeds out to processes, one to each that is free: a run needs one core and nothing of any other run. */

import { type ChildProcess, fork } from 'node:child_process';
import type { RunResult } from '../cluster/run.ts';

/** What became of a seed. Plain data, since it comes from another process; who wants to know more repeats the seed. */
export type Outcome =
  | { readonly seed: number; readonly result: RunResult; readonly verdict?: undefined }
  | { readonly seed: number; readonly verdict: 'crash' | 'safety' | 'liveness'; readonly message: string };

/** Runs one seed. */
export type RunSeed = (seed: number) => Promise<Outcome>;

/**
 * With every core at work, V8's helper threads only take turns with the work: a quarter more CPU time for nothing. Most of what a
 * simulated message is made of is dead within milliseconds, so room for 32 MiB of it saves most copying.
 */
const EXEC_ARGV = ['--single-threaded', '--min-semi-space-size=32', '--max-semi-space-size=32'];

/**
 * Yields outcomes as they come, of as many processes at once as `jobs` says, each this very program with `args`, which
 * must make it call `serveSeeds`. No seed is taken once the caller stops reading; the processes end then, too.
 */
export async function* runInJobs(
  seeds: Iterator<number>,
  jobs: number,
  args: readonly string[],
): AsyncGenerator<Outcome> {
  const workers: ChildProcess[] = [];
  const outcomes: Outcome[] = [];
  let busy = 0;
  let failure: Error | undefined;
  let wake = () => {};
  const give = (worker: ChildProcess) => {
    const { value, done } = seeds.next();
    if (done) return;
    busy += 1;
    worker.send(value);
  };
  try {
    for (let count = 0; count < jobs; count += 1) {
      const worker = fork(process.argv[1] ?? '', args, { execArgv: EXEC_ARGV });
      workers.push(worker);
      worker.on('message', (outcome) => {
        busy -= 1;
        outcomes.push(outcome as Outcome);
        give(worker);
        wake();
      });
      worker.on('exit', (code, signal) => {
        failure ??= new Error(`a process that ran seeds ended with ${signal ?? code}`);
        wake();
      });
      give(worker);
    }
    for (;;) {
      for (let outcome = outcomes.shift(); outcome; outcome = outcomes.shift()) yield outcome;
      if (failure) throw failure;
      if (busy === 0) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    for (const worker of workers) {
      worker.removeAllListeners();
      worker.kill('SIGKILL');
    }
  }
}

/** The other side: runs the seeds that the parent sends until that is gone. */
export function serveSeeds(run: RunSeed): void {
  // Clients under faults see errors all the time, and nobody sees their stacks: a failing seed is repeated elsewhere.
  Error.stackTraceLimit = 0;
  process.on('message', (seed: number) => {
    void run(seed).then((outcome) => process.send?.(outcome));
  });
  process.on('disconnect', () => process.exit());
}
