import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PLANTED_BUGS } from '../../chaos/planted/bugs/index.ts';

test('every planted bug has its one place in the source', () => {
  const missing = PLANTED_BUGS.filter(({ file, replace }) => {
    const places = readFileSync(file, 'utf8').split(replace).length - 1;
    return places !== 1;
  });
  expect(missing.map(({ name, file }) => `${name}: ${file}`)).toEqual([]);
});

test('no two planted bugs have the same name', () => {
  const names = PLANTED_BUGS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});
