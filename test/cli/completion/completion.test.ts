import { execFileSync, spawnSync } from 'node:child_process';
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

/** What a line becomes, or may become, when the tab key is pressed at its end. */
type Complete = (line: string) => string[];

const output = (command: string, args: string[], env = {}): string =>
  execFileSync(command, args, { cwd: root, encoding: 'utf8', env: { ...process.env, ...env } }).trim();

/** The words as bash cuts them: at colons and equals signs, too. In a login shell of another kind, as it may well be. */
const inBash: Complete = (line) =>
  output(
    'bash',
    [
      '-c',
      `${SCRIPTS.bash}
      COMP_LINE=$1; COMP_POINT=\${#1}
      _odradek_completion; [ \${#COMPREPLY[@]} -eq 0 ] || printf '%s\\n' "\${COMPREPLY[@]}"`,
      'bash',
      line,
    ],
    { SHELL: '/bin/zsh' },
  ).split('\n');

/** What the completion hands to zsh; zsh itself picks what begins as typed. */
const inZsh: Complete = (line) =>
  output('zsh', [
    '-f',
    '-c',
    `autoload -Uz compinit; compinit -D -u
    eval "$1"; [[ $_comps[odradek] = _odradek ]] || exit 1
    # Stands in for what only a widget can call.
    _describe() { print -rl -- "\${(@)replies}" }; _files() { print files }
    words=("\${(@s: :)2}"); CURRENT=$#words; _odradek`,
    'zsh',
    SCRIPTS.zsh,
    line,
  ]).split('\n');

const inFish: Complete = (line) =>
  output('fish', ['--no-config', '-c', `${SCRIPTS.fish}\ncomplete -C $argv[1]`, line]).split('\n');

const has = (shell: string): boolean => !spawnSync(shell, ['-c', 'true']).error;

const shells: readonly [string, Complete, boolean][] = [
  ['bash', inBash, true],
  ['zsh', inZsh, has('zsh')],
  ['fish', inFish, has('fish')],
];

for (const [shell, complete, isThere] of shells) {
  test.skipIf(!isThere)(
    `${shell} completes commands, options and values by its script (needs ${shell})`,
    () => {
      expect(existsSync(join(root, 'bin/odradek'))).toBe(true);
      const completed = (line: string) => complete(line).map((found) => found.replace(/[\t:].*/, ''));
      expect(completed('bin/odradek groups describe --js')).toContain('--json');
      expect(completed('bin/odradek produce t --compression z')).toContain('zstd');
      expect(completed('bin/odradek produce t --bootstrap ws://a:1,ws://b:2 --input w')).toContain('whole');
      expect(completed('bin/odradek ')).toContain('topics');
      expect(
        completed('bin/odradek produce t --compression=z').map((found) => found.replace(/.*=/, '')),
      ).toContain('zstd');
    },
  );
}

test('bash completes nothing but what begins as typed, and names as they have to be typed', () => {
  expect(inBash('bin/odradek to')).toEqual(['topics']);
  expect(inBash('bin/odradek groups re')).toEqual(['reset-offsets']);
  expect(inBash('bin/odradek produce t --compression=z')).toEqual(['zstd']);
  expect(inBash('bin/odradek nothing --begins=so')).toEqual(['']);
});

test.skipIf(!has('fish'))('fish falls back to files (needs fish)', () => {
  expect(inFish('bin/odradek start --config=config/node')).toContain('--config=config/node-1.yaml');
  expect(inFish('bin/odradek start --config config/node')).toContain('config/node-1.yaml');
});

test.skipIf(!has('zsh'))('zsh falls back to files, and shows what a command is for (needs zsh)', () => {
  expect(inZsh('bin/odradek start --config config/node')).toEqual(['files']);
  expect(inZsh('bin/odradek to')).toContainEqual(expect.stringMatching(/^topics:Create, list/));
});
