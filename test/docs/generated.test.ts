import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { fill } from '../../docs/generate/fill.ts';
import { sections } from '../../docs/generate/sections.ts';

const docs = resolve(import.meta.dirname, '../../docs');
const pages = readdirSync(docs)
  .filter((name) => name.endsWith('.md'))
  .map((name) => ({ name, text: readFileSync(join(docs, name), 'utf8') }));

test.each(pages)('docs/$name says what the code says ("make docs" writes it anew)', async ({ text }) => {
  expect(text).toBe(await fill(text));
});

test('every section stands on a page', () => {
  for (const name of Object.keys(sections)) {
    expect(pages.filter(({ text }) => text.includes(`<!-- generated: ${name} -->`)).length, name).toBe(1);
  }
});

test('what has drifted is written anew, the rest is left alone, and an unknown name is refused', async () => {
  const page = (inside: string) =>
    `before\n<!-- generated: configs -->\n${inside}<!-- /generated -->\nafter $& $1\n`;
  const filled = await fill(page('drifted\n'));
  expect(filled).toContain('| `nodeId` |');
  expect(filled).not.toContain('drifted');
  expect(filled).toMatch(/^before\n.*\nafter \$& \$1\n$/s);
  expect(await fill(filled)).toBe(filled);
  await expect(fill(page('').replace('configs', 'confgis'))).rejects.toThrow('"confgis"');
});
