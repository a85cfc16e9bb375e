import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './support/bin.ts';
import { parse } from './support/parse.ts';
import { binCommands, clientExample, tourCommands } from './support/readme.ts';

test('every command of the tour is one that bin/ has, with options that it takes', async () => {
  const commands = tourCommands().flatMap(binCommands);
  expect(commands.length).toBeGreaterThan(10);
  for (const { bin, args } of commands) {
    expect(existsSync(join(root, 'bin', bin)), bin).toBe(true);
    await expect(parse(bin, args), `${bin} ${args.join(' ')}`).resolves.toBeDefined();
  }
});

test('the client is shown in ten lines', () => {
  expect(clientExample().trim().split('\n').filter(Boolean)).toHaveLength(10);
});
