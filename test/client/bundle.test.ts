import { isBuiltin } from 'node:module';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

/** Roughly what a page pays for the client, minified and not compressed. */
const BUNDLE_BYTES_MAX = 250_000;

test('the client bundles for browsers: nothing of Node.js is reachable from its entry', async () => {
  const result = await build({
    entryPoints: ['src/client/index.ts'],
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    platform: 'browser',
    metafile: true,
    logLevel: 'silent',
  });
  const inputs = Object.entries(result.metafile.inputs);
  const imports = inputs.flatMap(([path, { imports: list }]) =>
    list.map((each) => `${path} imports ${each.path}`),
  );
  const external = inputs.flatMap(([path, { imports: list }]) =>
    list
      .filter((each) => each.external || isBuiltin(each.path))
      .map((each) => `${path} imports ${each.path}`),
  );
  expect(imports.length).toBeGreaterThan(0);
  expect(external).toEqual([]);
  const bytes = result.outputFiles[0]?.contents.length ?? 0;
  console.info(`The client's browser bundle has ${bytes} bytes`);
  expect(bytes).toBeLessThan(BUNDLE_BYTES_MAX);
});
