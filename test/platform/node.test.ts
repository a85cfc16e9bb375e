import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { installNativeCrc32c } from '../../src/platform/crc32c.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { nodeRandom } from '../../src/platform/random.ts';
import { nodeTimers } from '../../src/platform/timers.ts';
import { type Crc32c, crc32cJs } from '../../src/protocol/crc32c.ts';

describe('the Node.js ports', () => {
  test('the native CRC-32C equals the one in JavaScript at every length and offset', async () => {
    let native: Crc32c | undefined;
    const install = (crc32c: Crc32c) => {
      native = crc32c;
    };
    await installNativeCrc32c({ js: crc32cJs, install }, createLogger({ level: 'silent' }));
    const bytes = nodeRandom.bytes(5000);
    for (const [start, end] of [
      [0, 0],
      [0, 255],
      [0, 256],
      [3, 700],
      [1, 5000],
    ] as const) {
      for (const before of [0, 0xe3069283])
        expect(native?.(bytes, start, end, before)).toBe(crc32cJs(bytes, start, end, before));
    }
  });

  test('a delay beyond what Node.js can count does not fire at once', async () => {
    let fired = false;
    const timer = nodeTimers.set(Number.MAX_SAFE_INTEGER, () => {
      fired = true;
    });
    await new Promise<void>((resolve) => nodeTimers.soon(() => nodeTimers.set(2, resolve)));
    nodeTimers.clear(timer);
    expect(fired).toBe(false);
  });

  test('log lines carry the fields of their parents', () => {
    const lines: string[] = [];
    const stream = { write: (line: string) => lines.push(line) };
    const logger = createLogger({ level: 'info', fields: { nodeId: 1 }, stream });
    logger.debug({}, 'Not shown');
    logger.child({ topic: 't' }).info({ offset: 5 }, 'The segment rolled');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { nodeId: 1, topic: 't', offset: 5, msg: 'The segment rolled' },
    ]);
  });

  test('an expected failure is a text in log lines, as codes are', () => {
    const lines: string[] = [];
    const logger = createLogger({ level: 'info', stream: { write: (line: string) => lines.push(line) } });
    logger.info({ error: 'NOT_CONTROLLER' }, 'a');
    logger
      .child({})
      .info({ error: Object.assign(new Error('connection refused'), { code: 'refused' }) }, 'b');
    logger.info({ error: new Error('no more') }, 'c');
    expect(lines.map((line) => JSON.parse(line).error)).toEqual([
      'NOT_CONTROLLER',
      'refused: connection refused',
      'no more',
    ]);
  });

  test('a line for people is one line, with all of its fields', () => {
    const { stdout } = runScript(`
      const { createLogger, prettyStream } = await import('./src/platform/logger.ts');
      const logger = createLogger({ level: 'info', fields: { nodeId: 1 }, stream: await prettyStream() });
      logger.info({ isr: [1, 2], error: new Error('why') }, 'Changed an ISR');`);
    expect(stdout).toMatch(/^\[.+\] INFO: Changed an ISR \{"nodeId":1,"isr":\[1,2\],"error":"why"\}\n$/);
  });

  test('a crash logs why and ends the process at once', () => {
    const { status, stdout } = runScript(`
      const { createLogger } = await import('./src/platform/logger.ts');
      const { nodeCrash } = await import('./src/platform/crash.ts');
      process.on('beforeExit', () => console.log('graceful'));
      nodeCrash(createLogger({ level: 'info' }))(new Error('the log ends before it starts'));`);
    expect(status).toBe(134);
    expect(stdout).toContain('the log ends before it starts');
    expect(stdout).not.toContain('graceful');
  });
});

/** Runs a module in a process of its own. */
function runScript(script: string) {
  const built = spawnSync(
    'node_modules/.bin/esbuild',
    ['--bundle', '--platform=node', '--packages=external', '--format=esm', '--loader=ts'],
    { input: script, encoding: 'utf8' },
  );
  return spawnSync(process.execPath, ['--input-type=module', '-'], { input: built.stdout, encoding: 'utf8' });
}
