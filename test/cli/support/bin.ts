import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';

export const root = resolve(import.meta.dirname, '../../..');

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts one of the commands in `bin/`, as built. Without an input (null) its standard input stays open. */
export function startBin(
  name: 'odradek' | 'cluster' | 'demo' | 'live',
  args: readonly string[],
  input: string | null = '',
) {
  if (!existsSync(join(root, 'dist/cli/odradek.js')))
    throw new Error('run "make build" first: bin/ runs what is in dist/');
  const child = spawn(process.execPath, [join(root, 'bin', name), ...args], { cwd: root });
  child.stdin.on('error', () => {});
  if (input !== null) child.stdin.end(input);
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const ended = new Promise<Ended>((done) => {
    child.on('close', (status) => done({ status, stdout: stdout(), stderr: stderr() }));
  });
  return { child, ended };
}

export const runBin = (
  name: 'odradek' | 'cluster' | 'demo' | 'live',
  args: readonly string[],
  input = '',
): Promise<Ended> => startBin(name, args, input).ended;

function collect(stream: Readable): () => string {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString();
}
