import { readFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { build } from 'esbuild';
import type { PlantedBug } from './planted-bug.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Bundles the simulator with one bug planted; fails when the text that it changes is not there exactly once. */
export async function bundleWith(bug: PlantedBug | undefined, outfile: string): Promise<void> {
  let isPlanted = false;
  await build({
    entryPoints: [resolve(ROOT, 'chaos/sim/main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
    plugins: [
      {
        name: 'plant',
        setup: ({ onLoad }) => {
          onLoad({ filter: /\.ts$/ }, async ({ path }) => {
            const text = await readFile(path, 'utf8');
            if (bug === undefined || relative(ROOT, path) !== bug.file)
              return { contents: text, loader: 'ts' };
            isPlanted = true;
            return { contents: plant(text, bug), loader: 'ts' };
          });
        },
      },
    ],
  });
  if (bug !== undefined && !isPlanted)
    throw new Error(`${bug.name}: ${bug.file} is not part of the simulator`);
}

function plant(text: string, { name, file, replace, by }: PlantedBug): string {
  const count = text.split(replace).length - 1;
  if (count !== 1) throw new Error(`${name}: found ${count} times in ${file}, not once: ${replace}`);
  return text.replace(replace, () => by);
}
