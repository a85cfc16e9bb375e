import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from './support/bin.ts';

// The package as npm would publish it, installed into an empty project: without a registry, from what is installed here.
const run = promisify(execFile);
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly bin: Readonly<Record<string, string>>;
};
let project = '';
let files: string[] = [];

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'odradek-package-'));
  const packed = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], {
    cwd: root,
  });
  const [tarball] = JSON.parse(packed.stdout) as { filename: string; files: { path: string }[] }[];
  files = tarball?.files.map(({ path }) => path) ?? [];

  writeFileSync(join(project, 'package.json'), '{ "private": true }');
  const modules = join(project, 'node_modules');
  const own = join(modules, 'odradek');
  mkdirSync(own, { recursive: true });
  await run('tar', ['-xzf', join(project, tarball?.filename ?? ''), '--strip-components=1', '-C', own]);
  // Only what the package depends on: an import of anything else fails.
  for (const name of Object.keys(manifest.dependencies)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  mkdirSync(join(modules, '.bin'));
  for (const [name, file] of Object.entries(manifest.bin))
    symlinkSync(join('../odradek', file), join(modules, '.bin', name));
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

const bin = (name: string, ...args: string[]) =>
  run(join(project, 'node_modules/.bin', name), args, { cwd: project });

test('the package holds what runs and nothing of how it is made', () => {
  for (const file of [
    'LICENSE',
    'README.md',
    'config/node-1.yaml',
    'docs/operations.md',
    'dist/browser/odradek.js',
    'dist/client/browser.d.ts',
    'dist/client/node.d.ts',
  ])
    expect(files).toContain(file);
  const surplus = files.filter((file) => /\.map$|demo|chaos|\.ts$/.test(file) && !file.endsWith('.d.ts'));
  expect(surplus).toEqual([]);
});

test('its commands run from another folder', async () => {
  expect((await bin('odradek', '--version')).stdout).toBe(`${manifest.version}\n`);
  expect((await bin('odradek-cluster', '--help')).stdout).toContain('cluster up');
  const config = join(project, 'node_modules/odradek/config/node-1.yaml');
  expect((await bin('odradek', 'config', 'check', '--config', config)).stdout).toContain('valid');
});

test('it is imported by its name, in each of its parts', async () => {
  const source = `
    import { Odradek } from 'odradek';
    import { startCluster } from 'odradek/testing';
    const cluster = await startCluster({ nodes: 1, storage: 'memory' });
    const client = new Odradek({ bootstrap: cluster.bootstrap });
    await client.admin().createTopic({ name: 't', partitions: 1 });
    await client.producer().send({ topic: 't', value: 'v' });
    await client.close();
    await cluster.stop();
    console.log('sent');`;
  writeFileSync(join(project, 'main.mjs'), source);
  const { stdout } = await run(process.execPath, ['main.mjs'], { cwd: project, timeout: 30_000 });
  expect(stdout).toBe('sent\n');
});
