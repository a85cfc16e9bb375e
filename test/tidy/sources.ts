import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface SourceFile {
  /** From the repository's root, with `/`: `src/raft/core.ts`. */
  readonly path: string;
  /** The folder below `src/`: `raft`. */
  readonly layer: string;
  readonly lines: readonly string[];
}

/** Every TypeScript file below `src/`. */
export function sources(): SourceFile[] {
  const root = join(import.meta.dirname, '../..');
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => ({
      path: `src/${name}`,
      layer: name.split('/')[0] ?? '',
      lines: readFileSync(join(root, 'src', name), 'utf8').split('\n'),
    }));
}

/** The code of a line, without a trailing `//` comment and without the text of block comments and strings. */
export function codeOf(line: string): string {
  if (/^\s*(\*|\/\*)/.test(line)) return '';
  return line
    .replace(/\/\/.*$/, '')
    .replace(/'(?:[^'\\]|\\.)*'/g, "''")
    .replace(/`[^`$]*`/g, '``');
}
