import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nameKindAt } from '../../../src/cli/completion/names.ts';
import { SCRIPTS } from '../../../src/cli/completion/scripts.ts';
import { root } from '../support/bin.ts';

test('what kind of name is being typed', () => {
  const at = (line: string, option?: string) => nameKindAt(line.split(' '), option);
  expect(at('topics describe x')).toBe('topics');
  expect(at('consume ')).toBe('topics');
  expect(at('produce fl')).toBe('topics');
  expect(at('groups delete ')).toBe('groups');
  expect(at('groups reset-offsets g')).toBe('groups');
  expect(at('', '--topic')).toBe('topics');
  expect(at('', '--group')).toBe('groups');
  for (const line of [
    'topics',
    'topics create x',
    'topics list x',
    'consume a b',
    'cluster describe x',
    'groups ',
  ])
    expect(at(line, '--bootstrap'), line).toBeUndefined();
});

test('bash completes commands and values through the script', () => {
  const complete = (...words: string[]) =>
    execFileSync(
      'bash',
      [
        '-c',
        `${SCRIPTS.bash}
        COMP_WORDS=(bin/odradek "$@"); COMP_CWORD=$#
        _odradek_completion; printf '%s\\n' "\${COMPREPLY[@]}"`,
        'bash',
        ...words,
      ],
      { cwd: root, encoding: 'utf8' },
    )
      .trim()
      .split('\n');
  expect(existsSync(join(root, 'bin/odradek'))).toBe(true);
  expect(complete('to')).toEqual(['topics']);
  expect(complete('groups', 're')).toEqual(['reset-offsets']);
  expect(complete('produce', 't', '--compression', 'z')).toEqual(['zstd']);
  expect(complete('consume', 't', '--exit')).toEqual(['--exit-at-end']);
});
