import { expect, test } from 'vitest';
import { codeOf, sources } from './sources.ts';

interface Ban {
  readonly pattern: RegExp;
  readonly instead: string;
  /** The folders of src/ that may use it. */
  readonly allowed: readonly string[];
  /** Look at the raw line, since the banned name stands in a string. */
  readonly raw?: boolean;
}

/** Time, chance, files and sockets come from ports, so that the simulator can stand in for the world. */
const bans: readonly Ban[] = [
  {
    pattern: /\bDate\.now\b|\bnew Date\(\s*\)/,
    instead: 'the Clock port (wallMs)',
    allowed: ['platform', 'cli'],
  },
  {
    pattern: /\bperformance\.now\b|\bhrtime\b/,
    instead: 'the Clock port (monotonicMs)',
    allowed: ['platform', 'cli', 'testing'],
  },
  {
    pattern: /\b(setTimeout|setInterval|setImmediate|queueMicrotask|clearTimeout|clearInterval)\b/,
    instead: 'the Timers port',
    allowed: ['platform', 'transport', 'cli', 'testing'],
  },
  {
    pattern: /\bMath\.random\b|\brandomUUID\b|\bgetRandomValues\b/,
    instead: 'the Random port',
    allowed: ['platform', 'cli'],
  },
  {
    pattern: /\bprocess\./,
    instead: 'a value handed in from cli/ (or Platform.crash)',
    allowed: ['platform', 'cli'],
  },
  {
    pattern: /from ['"]node:/,
    instead: 'a port of platform/ports.ts',
    allowed: ['platform', 'transport', 'cli', 'testing'],
    raw: true,
  },
  { pattern: /from ['"]ws['"]/, instead: 'the Network or Dialer port', allowed: ['transport'], raw: true },
  {
    pattern: /\bBuffer\b/,
    instead: 'Uint8Array, DataView and TextEncoder: this code also runs in browsers',
    allowed: ['platform', 'transport', 'cli', 'server', 'log', 'raft'],
  },
];

function platformViolations(path: string, lines: readonly string[]): string[] {
  const layer = path.split('/')[1] ?? '';
  return lines.flatMap((line, index) =>
    bans
      .filter((ban) => !ban.allowed.includes(layer) && ban.pattern.test(ban.raw ? line : codeOf(line)))
      .map((ban) => `${path}:${index + 1}: ${line.trim()}: use ${ban.instead} instead.`),
  );
}

test('no ambient time, chance, file or socket outside platform/ and transport/', () => {
  expect(sources().flatMap((file) => platformViolations(file.path, file.lines))).toEqual([]);
});

test('the rule sees each banned call, and leaves comments and strings alone', () => {
  for (const line of [
    'const now = Date.now();',
    'const when = new Date();',
    'setTimeout(f, 1);',
    'return Math.random();',
    "import { open } from 'node:fs/promises';",
    "import WebSocket from 'ws';",
    'process.exit(1);',
    'Buffer.from(x);',
  ]) {
    expect(platformViolations('src/controller/x.ts', [line]), line).toHaveLength(1);
  }
  expect(
    platformViolations('src/controller/x.ts', ['// not Date.now()', ' * Math.random', "log('setTimeout')"]),
  ).toEqual([]);
});
