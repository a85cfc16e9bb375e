import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';

export const root = resolve(import.meta.dirname, '../../..');

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts one of the commands in `bin/`, as built. */
export function startBin(name: 'odradek' | 'cluster' | 'demo', args: readonly string[], input = '') {
  if (!existsSync(join(root, 'dist/cli/odradek.js')))
    throw new Error('run "make build" first: bin/ runs what is in dist/');
  const child = spawn(process.execPath, [join(root, 'bin', name), ...args], { cwd: root });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const status = new Promise<number | null>((done) => child.on('close', done));
  const ended: Promise<Ended> = Promise.all([status, text(child.stdout), text(child.stderr)]).then(
    ([code, stdout, stderr]) => ({ status: code, stdout, stderr }),
  );
  return { child, ended };
}

export const runBin = (
  name: 'odradek' | 'cluster' | 'demo',
  args: readonly string[],
  input = '',
): Promise<Ended> => startBin(name, args, input).ended;
