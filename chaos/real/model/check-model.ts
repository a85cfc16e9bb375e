/**
 * Model-based tests of real processes: fast-check draws commands (kill a leader, stop the controller, cut, mend, produce,
 * consume, commit), carries them out on a cluster started from bin/, and compares with `model.ts` what clients are told.
 * What fails is shrunk: each try runs on a cluster of its own.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { RealCluster } from '../nemesis/real-cluster.ts';
import { commandsOf } from './commands.ts';
import { Model } from './model.ts';
import { Session } from './session.ts';

export interface ModelOptions {
  readonly seed: number;
  readonly runs: number;
  readonly commandsMax: number;
  /** No further run, and no further try at shrinking, begins after this time. */
  readonly timeLimitMs: number;
  /** Both from a failure that is to be repeated. */
  readonly path?: string | undefined;
  readonly replayPath?: string | undefined;
}

export interface ModelResult {
  readonly runs: number;
  /** How often each kind of thing was done. */
  readonly done: ReadonlyMap<string, number>;
  /** What failed, shrunk, and how to repeat it; undefined when all held. */
  readonly failure: string | undefined;
}

export async function checkModel(o: ModelOptions): Promise<ModelResult> {
  const pool = new Pool();
  const done = new Map<string, number>();
  const property = fc.asyncProperty(commandsOf(o.commandsMax, o.replayPath), (commands) =>
    pool.use(async (cluster, topic) => {
      const model = new Model(done);
      const session = await Session.open(cluster, model, topic);
      try {
        await fc.asyncModelRun(() => ({ model, real: session }), commands);
        await session.finish();
      } finally {
        await session.close();
      }
    }),
  );
  let failure: string | undefined;
  try {
    const details = await fc.check(property, {
      seed: o.seed,
      numRuns: o.runs,
      interruptAfterTimeLimit: o.timeLimitMs,
      ...(o.path === undefined ? {} : { path: o.path }),
    });
    if (details.failed && details.counterexample) failure = describe(details, pool.dir);
    return { runs: details.numRuns, done, failure };
  } finally {
    await pool.end(failure !== undefined);
  }
}

type Failed = Pick<
  fc.RunDetails<unknown[]>,
  'counterexample' | 'errorInstance' | 'numShrinks' | 'seed' | 'counterexamplePath'
>;

function describe(details: Failed, dir: string | undefined): string {
  const commands = String(details.counterexample?.[0]);
  const replayPath = /replayPath="([^"]*)"/.exec(commands)?.[1] ?? '';
  return [
    `${details.errorInstance}`,
    `after: ${commands}`,
    `(shrunk ${details.numShrinks} times; logs and data of the last try: ${dir})`,
    `repeat it with: make model SEED=${details.seed} RUN_PATH='${details.counterexamplePath}' REPLAY='${replayPath}'`,
  ].join('\n');
}

/** One cluster at a time. A run that held leaves it, healed, to the next one; one that failed does not. */
class Pool {
  #cluster: RealCluster | undefined;
  #running: Promise<void> = Promise.resolve();
  #topics = 0;
  /** Of the latest cluster. */
  dir: string | undefined;

  async use(run: (cluster: RealCluster, topic: string) => Promise<void>): Promise<void> {
    const used = this.#use(run);
    // A run that the time limit interrupts goes on unwatched.
    this.#running = used.catch(() => {});
    await used;
  }

  /** Waits for a run that was interrupted: it may be starting nodes even now. */
  async end(keepsFiles: boolean): Promise<void> {
    await this.#running;
    await this.#cluster?.end();
    if (!keepsFiles) this.#removeFiles();
  }

  async #use(run: (cluster: RealCluster, topic: string) => Promise<void>): Promise<void> {
    this.#cluster ??= await this.#start();
    const cluster = this.#cluster;
    try {
      await run(cluster, `topic-${this.#topics++}`);
    } catch (error) {
      this.#cluster = undefined;
      await cluster.end();
      throw error;
    }
  }

  #start(): Promise<RealCluster> {
    this.#removeFiles();
    this.dir = mkdtempSync(join(tmpdir(), 'odradek-model-'));
    return RealCluster.start({ dir: this.dir });
  }

  #removeFiles(): void {
    if (this.dir !== undefined) rmSync(this.dir, { recursive: true, force: true });
  }
}
