import { spawn, spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { startCluster } from '../../src/testing/index.ts';
import { root } from './support/bin.ts';

const HOME = '\x1b[H';
const hasScript = !spawnSync('script', ['--version']).error;

interface Shown {
  readonly text: string;
  readonly status: number | null;
}

/** What a terminal of that size gets to see, when Ctrl-C is pressed after the second look. */
function onTerminal(rows: number, columns: number, command: string): Promise<Shown> {
  const shell = `stty -echo rows ${rows} cols ${columns}; exec ${command}`;
  const child = spawn('script', ['--quiet', '--return', '--command', shell, '/dev/null'], {
    cwd: root,
    env: { ...process.env, TERM: 'xterm' },
  });
  let text = '';
  let isInterrupted = false;
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    if (isInterrupted || text.split(HOME).length <= 2) return;
    isInterrupted = true;
    child.stdin.write('\x03');
  });
  return new Promise((done) => child.on('close', (status) => done({ text, status })));
}

test.skipIf(!hasScript)(
  '--watch on a terminal: in place, no taller than that, the cursor hidden and given back (needs script)',
  async () => {
    await using cluster = await startCluster({ nodes: 1 });
    const command = `bin/odradek cluster describe --watch --interval 1 --bootstrap ${cluster.bootstrap}`;
    const { text, status } = await onTerminal(5, 40, command);
    expect(status, text).toBe(0);
    const [begin, ...looks] = text.split(HOME);
    expect(begin).toBe('\x1b[?25l\x1b[?7l\x1b[2J');
    expect(looks.at(-1)?.endsWith('\x1b[?7h\x1b[?25h')).toBe(true);
    expect(looks.length).toBeGreaterThan(1);
    for (const look of looks) {
      expect(look).toContain('controller 1');
      expect(look).toContain('more lines');
      expect(look.split('\n').length).toBeLessThanOrEqual(5);
    }
  },
);
