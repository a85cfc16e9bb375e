import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resolveConfig } from '../../src/server/config-sources.ts';
import { environmentIn, hasTool, lint, plant, readConfigFile, root } from './support.ts';

const FILE = 'docker/Dockerfile';
const noHadolint = !hasTool('hadolint');
const hadolint = ['hadolint', '--no-color', '--failure-threshold', 'info'] as const;

test.skipIf(noHadolint)('hadolint has nothing to say about the Dockerfile (needs hadolint)', async () => {
  expect(await lint(hadolint, FILE)).toEqual({ status: 0, output: '' });
});

test.skipIf(noHadolint).each([
  ['an unknown instruction', plant('COPY bin', 'COPPY bin')],
  ['a folder that is not absolute', plant('WORKDIR /opt/odradek', 'WORKDIR opt/odradek')],
  ['a stage that does not exist', plant('COPY --from=build /build/dist', 'COPY --from=biuld /build/dist')],
])('hadolint sees %s (needs hadolint)', async (_, error) => {
  expect((await lint(hadolint, FILE, error)).status).toBe(1);
});

test('what the Dockerfile copies is there and not ignored', () => {
  const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
  const sources = [...readConfigFile(FILE).matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) =>
    (match[1] ?? '').split(' '),
  );
  expect(sources).toContain('src');
  for (const source of sources) expect(ignored).toContain(`!${source}`);
  for (const line of ignored.filter((each) => each.startsWith('!')))
    expect(sources, `${line} is not needed`).toContain(line.slice(1));
});

test('the image needs only what tells one node from another', () => {
  const env = environmentIn(readConfigFile(FILE));
  // Those of the run command in the header are among them.
  expect(resolveConfig({ env }).config).toMatchObject({
    nodeId: 1,
    host: '0.0.0.0',
    dataDir: '/var/lib/odradek',
  });
});

test('the image runs as nobody in particular, with Node.js as process 1', () => {
  const lines = readConfigFile(FILE).split('\n');
  expect(lines).toContain('USER 1000:1000');
  expect(lines.find((line) => line.startsWith('ENTRYPOINT'))).toMatch(/^ENTRYPOINT \["node", /);
  expect(lines.some((line) => line.startsWith('HEALTHCHECK'))).toBe(true);
});
