import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const CHUNK = Buffer.alloc(64 * 1024);

/** A small volume for the data of one node, which can be filled. Only root can mount one. */
export class Volume {
  readonly #dir: string;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** Undefined where it cannot be had. */
  static mount(dir: string, sizeMiB: number): Volume | undefined {
    if (process.getuid?.() !== 0) return undefined;
    mkdirSync(dir, { recursive: true });
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m`, 'odradek-chaos', dir], {
        stdio: 'ignore',
      });
    } catch {
      return undefined;
    }
    return new Volume(dir);
  }

  /** Takes all the room that there is; returns how much that was, in MiB. */
  fill(): number {
    const file = openSync(this.#filler, 'a');
    let bytes = 0;
    try {
      for (;;) bytes += writeSync(file, CHUNK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
    return Math.round(bytes / 1024 / 1024);
  }

  release(): void {
    rmSync(this.#filler, { force: true });
  }

  /** Lazily: it goes once nobody uses it. */
  unmount(): void {
    execFileSync('umount', ['--lazy', this.#dir], { stdio: 'ignore' });
  }

  get #filler(): string {
    return join(this.#dir, 'filler');
  }
}
