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
}

/** Runs seeds on a bundle with a bug planted until a check trips, or the bound is reached. */
export async function hunt(bug: PlantedBug, seedsMax = bug.seedsMax): Promise<Hunt> {
  await mkdir(CACHE, { recursive: true });
  const outfile = `${CACHE}/planted-${bug.name.replaceAll(' ', '-')}.mjs`;
  await bundleWith(bug, outfile);
  const args = [outfile, '--scenario', bug.scenario, '--seeds', `${seedsMax}`, '--brief'];
  const { code, output } = await run(args);
  const found = /^(safety|liveness|crash) after (\d+) seeds: (.*)$/m.exec(output);
  if (code !== 0 && found?.[2] === undefined) throw new Error(`${bug.name}: exit code ${code}: ${output}`);
  return {
    isCaught: code !== 0,
    seeds: Number(found?.[2] ?? seedsMax),
    message: found ? `${found[1]}: ${found[3]}` : 'not caught',
  };
}

function run(args: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { maxBuffer: 2 ** 24 }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, output: stdout + stderr }),
    );
  });
}
