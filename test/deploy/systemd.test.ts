import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { hasTool, lint, plant, readConfigFile, root } from './support.ts';

const FILE = 'systemd/odradek.service';
const noSystemd = !hasTool('systemd-analyze');
const verify = ['systemd-analyze', 'verify', '--man=no'] as const;
/** What systemd demands of the exposure level of a service, 0 to 10, times 10. */
const EXPOSURE_MAX = 20;

/** The unit with the command as installed in this checkout. */
const installed = (text: string): string =>
  plant('ExecStart=/usr/bin/odradek', `ExecStart=${join(root, 'bin/odradek')}`)(text);

test.skipIf(noSystemd)('systemd has nothing to say about the unit (needs systemd-analyze)', async () => {
  expect(await lint(verify, FILE, installed)).toEqual({ status: 0, output: '' });
});

test.skipIf(noSystemd).each([
  ['an unknown key', plant('TimeoutStopSec=60', 'TimeoutStopSecs=60')],
  ['a bad value', plant('Restart=on-failure', 'Restart=sometimes')],
  ['a command that is not there', plant('/bin/odradek start', '/bin/odradeck start')],
])('systemd sees %s (needs systemd-analyze)', async (_, error) => {
  expect((await lint(verify, FILE, (text) => error(installed(text)))).output).not.toBe('');
});

const security = ['systemd-analyze', 'security', '--offline=true', `--threshold=${EXPOSURE_MAX}`] as const;

test.skipIf(noSystemd)(
  'the unit gives a node little beyond what it needs (needs systemd-analyze)',
  async () => {
    expect(await lint(security, FILE, installed)).toMatchObject({ status: 0 });
    const open = plant('SystemCallFilter=@system-service\nSystemCallFilter=~@privileged @resources\n', '');
    expect(await lint(security, FILE, open)).toMatchObject({ status: 1 });
  },
);

test('the command of the unit, in the environment of the unit, runs a node that SIGTERM stops', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'odradek-unit-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const config = join(folder, 'node.yaml');
  writeFileSync(config, `nodeId: 1\ndataDir: ${folder}/data\nvoters: [1@127.0.0.1:7001]\n`);

  const unit = readConfigFile(FILE);
  const command = (/^ExecStart=(.+)$/m.exec(installed(unit))?.[1] ?? '').replace(
    '/etc/odradek/node.yaml',
    config,
  );
  expect(command).toContain(config);
  const environment = [...unit.matchAll(/^Environment=(\w+)=(.*)$/gm)].map(([, name = '', value]) => [
    name,
    value,
  ]);
  const child = spawn('/bin/sh', ['-c', `exec ${command}`], {
    // Nothing of this process but where node is; the port is what the unit's environment file could say.
    env: {
      ...Object.fromEntries(environment),
      PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
      ODRADEK_PORT: '0',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = new Promise((done) => child.on('exit', (code, signal) => done(code ?? signal)));
  const messages: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    const { msg } = JSON.parse(line) as { msg: string };
    messages.push(msg);
    if (msg.startsWith('Unfenced:')) child.kill('SIGTERM');
  }
  expect(await ended).toBe(0);
  expect(messages.at(-1)).toBe('Stopped');
});
