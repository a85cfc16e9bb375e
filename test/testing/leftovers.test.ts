import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const script = join(import.meta.dirname, 'support/leftovers.mjs');

test('nothing is left of a cluster, however it ends: and so the process ends by itself', async () => {
  // A folder for temporary files of its own: other tests make clusters meanwhile.
  const folder = await mkdtemp(join(tmpdir(), 'odradek-leftovers-'));
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [script], {
      env: { ...process.env, TMPDIR: folder },
      timeout: 50_000,
    });
    const results = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { name: string; left: string[] });
    expect(results.length).toBe(8);
    expect(results.filter(({ left }) => left.length > 0)).toEqual([]);
    expect(stderr).toBe('');
  } finally {
    await rm(folder, { recursive: true });
  }
});
