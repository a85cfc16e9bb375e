import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { bundleWith } from './bundle.ts';
import type { PlantedBug } from './planted-bug.ts';

// Within node_modules, so that the packages which the bundle leaves outside are found.
const CACHE = resolve(import.meta.dirname, '../../node_modules/.cache/odradek');

export interface Hunt {
  readonly isCaught: boolean;
  /** How many seeds it took. */
  readonly seeds: number;
  /** What tripped. */
  readonly message: string;
  /** Failures that were not the planted bug's: the seed fails without it, too, or by another rule than the bug's. */
  readonly unrelated: readonly string[];
}

interface Failure {
  readonly seed: number;
  readonly message: string;
}

/**
 * Runs seeds on a bundle with a bug planted until a check trips because of it, or the bound is reached. A seed that fails
 * without the bug as well shows nothing about it, so the hunt goes on behind it.
 */
export async function hunt(bug: PlantedBug, seedsMax = bug.seedsMax): Promise<Hunt> {
  const planted = await bundled(bug);
  const unrelated: string[] = [];
  for (let base = 1; base <= seedsMax; ) {
    const failure = await firstFailure(planted, bug, base, seedsMax - base + 1);
    if (failure === undefined) break;
    const { seed, message } = failure;
    const isTheBugs = bug.trips === undefined || message.includes(bug.trips);
    if (isTheBugs && !(await firstFailure(await withoutBugs(), bug, seed, 1)))
      return { isCaught: true, seeds: seed, message, unrelated };
    unrelated.push(message);
    base = seed + 1;
  }
  return { isCaught: false, seeds: seedsMax, message: 'not caught', unrelated };
}

let clean: Promise<string> | undefined;

function withoutBugs(): Promise<string> {
  clean ??= bundled(undefined);
  return clean;
}

async function bundled(bug: PlantedBug | undefined): Promise<string> {
  await mkdir(CACHE, { recursive: true });
  const outfile = `${CACHE}/planted-${bug?.name.replaceAll(/\W+/g, '-') ?? 'nothing'}.mjs`;
  await bundleWith(bug, outfile);
  return outfile;
}

async function firstFailure(
  bundle: string,
  { name, scenario }: PlantedBug,
  base: number,
  seeds: number,
): Promise<Failure | undefined> {
  const args = [bundle, '--scenario', scenario, '--base', `${base}`, '--seeds', `${seeds}`, '--brief'];
  const { code, output } = await run(args);
  if (code === 0) return undefined;
  const found = /^(safety|liveness|crash) after (\d+) seeds: (.*)$/m.exec(output);
  if (found === null) throw new Error(`${name}: exit code ${code}: ${output}`);
  return { seed: base + Number(found[2]) - 1, message: `${found[1]}: ${found[3]}` };
}

function run(args: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { maxBuffer: 2 ** 24 }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, output: stdout + stderr }),
    );
  });
}
