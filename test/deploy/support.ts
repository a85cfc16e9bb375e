import { execFile } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';

export const root = resolve(import.meta.dirname, '../..');
export const readConfigFile = (name: string): string => readFileSync(join(root, 'config', name), 'utf8');

/** Whether a tool is installed. A test that needs one is skipped by name where it is missing; `.ci/run` installs them. */
export function hasTool(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export interface Verdict {
  readonly status: number;
  readonly output: string;
}

/** Has a linter read a file of `config/`, after `change`. */
export async function lint(
  [tool, ...args]: readonly [string, ...string[]],
  file: string,
  change: (text: string) => string = (text) => text,
): Promise<Verdict> {
  const folder = mkdtempSync(join(tmpdir(), 'odradek-lint-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const copy = join(folder, basename(file));
  writeFileSync(copy, change(readConfigFile(file)));
  return new Promise((done) => {
    execFile(tool, [...args, copy], (error, stdout, stderr) => {
      done({ status: error ? Number(error.code ?? 1) : 0, output: (stdout + stderr).replaceAll(copy, file) });
    });
  });
}

/** Plants an error. @throws Error when there is nothing to replace */
export const plant =
  (what: string, instead: string) =>
  (text: string): string => {
    if (!text.includes(what)) throw new Error(`nothing says ${what}`);
    return text.replace(what, instead);
  };

/** The `ODRADEK_*` variables that a text sets with NAME=value. */
export const environmentIn = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/(ODRADEK_[A-Z_]+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
  );

/** Those that the image sets. */
export const imageEnvironment = (): Record<string, string> =>
  environmentIn(readConfigFile('docker/Dockerfile').replace(/^#.*$/gm, ''));
