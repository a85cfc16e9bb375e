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
  const property = fc.asyncProperty(commandsOf(o.commandsMax, o.replayPath), async (commands) => {
    const { cluster, topic } = await pool.take();
    const model = new Model(done);
    const session = await Session.open(cluster, model, topic);
    try {
      await fc.asyncModelRun(() => ({ model, real: session }), commands);
      await session.finish();
      pool.keep();
    } finally {
      await session.close();
    }
  });
  try {
    const details = await fc.check(property, {
      seed: o.seed,
      numRuns: o.runs,
      interruptAfterTimeLimit: o.timeLimitMs,
      ...(o.path === undefined ? {} : { path: o.path }),
    });
    return {
      runs: details.numRuns,
      done,
      failure: details.failed && details.counterexample ? describe(details, pool.dir) : undefined,
    };
  } finally {
    await pool.end();
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

/** One cluster at a time. A run that held leaves it to the next one, healed, with another topic; a failure gets no successor. */
class Pool {
  #cluster: RealCluster | undefined;
  #isClean = false;
  #topics = 0;
  dir: string | undefined;

  async take(): Promise<{ cluster: RealCluster; topic: string }> {
    if (!this.#isClean) await this.#startAnew();
    this.#isClean = false;
    if (!this.#cluster) throw new Error('there is no cluster');
    return { cluster: this.#cluster, topic: `topic-${this.#topics++}` };
  }

  keep(): void {
    this.#isClean = true;
  }

  async end(): Promise<void> {
    await this.#cluster?.end();
    if (this.#isClean && this.dir !== undefined) rmSync(this.dir, { recursive: true, force: true });
  }

  async #startAnew(): Promise<void> {
    await this.#cluster?.end();
    this.#cluster = undefined;
    if (this.dir !== undefined) rmSync(this.dir, { recursive: true, force: true });
    this.dir = mkdtempSync(join(tmpdir(), 'odradek-model-'));
    this.#cluster = await RealCluster.start({ dir: this.dir });
  }
}
