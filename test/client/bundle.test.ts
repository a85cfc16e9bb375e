import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { Metafile } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as browser from '../../src/client/browser.ts';
import * as node from '../../src/client/node.ts';

/** What a page pays for the client, minified and compressed, codecs not counted. */
const BUNDLE_GZIP_BYTES_MAX = 60_000;

const root = join(import.meta.dirname, '../..');
let dir: string;
let metafile: Metafile;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-bundle-'));
  const meta = join(dir, 'meta.json');
  const options = [`--outdir=${join(dir, 'out')}`, `--metafile=${meta}`];
  await promisify(execFile)('npm', ['run', '--silent', 'bundle', '--', ...options], { cwd: root });
  metafile = JSON.parse(readFileSync(meta, 'utf8'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('the client bundles for browsers: nothing of Node.js is reachable from its entry', () => {
  const imports = Object.entries(metafile.inputs).flatMap(([path, { imports: list }]) =>
    list.map((each) => ({ ...each, text: `${path} imports ${each.path}` })),
  );
  expect(imports.length).toBeGreaterThan(0);
  const foreign = imports.filter((each) => each.external || isBuiltin(each.path));
  expect(foreign.map(({ text }) => text)).toEqual([]);
});

test(`a page loads at most ${BUNDLE_GZIP_BYTES_MAX} bytes of it, compressed`, () => {
  const bytes = [...loadedAtOnce('odradek.js')]
    .map((path) => gzipSync(readFileSync(join(root, path)), { level: 9 }).length)
    .reduce((sum, each) => sum + each, 0);
  console.info(`The client's browser bundle has ${bytes} bytes, minified and compressed`);
  expect(bytes).toBeLessThan(BUNDLE_GZIP_BYTES_MAX);
});

test('both entries give the same names, and package.json leads to each', () => {
  expect(Object.keys(browser).sort()).toEqual(Object.keys(node).sort());
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(exports['.'].browser.default).toBe('./dist/browser/odradek.js');
  expect(exports['.'].default).toBe('./dist/client/node.js');
  expect(Object.keys(exports['.'])[0]).toBe('browser');
});

/** The output files that come with an entry: what it imports, but for what it imports on demand. */
function loadedAtOnce(entry: string): Set<string> {
  const loaded = new Set<string>();
  const load = (path: string) => {
    if (loaded.has(path)) return;
    loaded.add(path);
    for (const { path: next, kind } of metafile.outputs[path]?.imports ?? [])
      if (kind !== 'dynamic-import') load(next);
  };
  for (const path of Object.keys(metafile.outputs)) if (path.endsWith(`/${entry}`)) load(path);
  return loaded;
}
