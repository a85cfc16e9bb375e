import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './bin.ts';

const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** The commands of the tour: what follows `$ ` in its console blocks. */
export function tourCommands(): string[] {
  return blocks('console').flatMap((block) =>
    block.split('\n').flatMap((line) => (line.startsWith('$ ') ? [line.slice(2)] : [])),
  );
}

/** The client in ten lines. */
export function clientExample(): string {
  const [example] = blocks('js');
  if (example === undefined) throw new Error('README.md shows no client');
  return example;
}

/** Each command of bin/ within a line of shell: its name and its arguments. */
export function binCommands(line: string): { readonly bin: string; readonly args: string[] }[] {
  return line
    .split(/[|&;()]/)
    .map(words)
    .flatMap(([first, ...args]) =>
      first?.startsWith('bin/') ? [{ bin: first.slice('bin/'.length), args }] : [],
    );
}

function blocks(language: string): string[] {
  const pattern = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms');
  return [...readme.matchAll(pattern)].map((match) => match[1] ?? '');
}

function words(command: string): string[] {
  return command.trim().split(/\s+/);
}
