import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export type NodeState = 'ready' | 'starting' | 'stopped';

export interface NodeStatus {
  readonly id: number;
  readonly pid: number | null;
  readonly state: NodeState;
  readonly listeners: readonly string[];
  /** What a running node still waits for; null when it is ready or stopped. */
  readonly waitingFor: string | null;
}

const root = resolve(import.meta.dirname, '../../..');
const STOP_TIMEOUT_MS = 20_000;
const POLL_MS = 25;

const sleep = (delayMs: number) => new Promise<void>((done) => setTimeout(done, delayMs));

/** One node of a local cluster: its process, its folder and its log file. */
export class NodeProcess {
  readonly id: number;
  readonly port: number;
  readonly #dir: string;
  readonly #overrides: readonly string[];

  constructor(id: number, clusterDir: string, port: number, overrides: readonly string[]) {
    this.id = id;
    this.port = port;
    this.#dir = resolve(clusterDir, `node-${id}`);
    this.#overrides = overrides;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  get logFile(): string {
    return join(this.#dir, 'node.log');
  }

  /** The id of the running process; null when there is none. */
  get pid(): number | null {
    const file = join(this.#dir, 'pid');
    if (!existsSync(file)) return null;
    const pid = Number(readFileSync(file, 'utf8'));
    return Number.isSafeInteger(pid) && isOurs(pid) ? pid : null;
  }

  /** Starts the process in the background; it outlives this one. A running node is left alone. */
  spawn(): void {
    if (this.pid !== null) return;
    mkdirSync(this.#dir, { recursive: true });
    const template = join(root, 'config', `node-${Math.min(this.id, 3)}.yaml`);
    const overrides = [
      `nodeId=${this.id}`,
      `port=${this.port}`,
      `rack=rack-${this.id}`,
      `dataDir=${join(this.#dir, 'data')}`,
      ...this.#overrides,
    ];
    const log = openSync(this.logFile, 'a');
    const child = spawn(
      process.execPath,
      [
        join(root, 'bin/odradek'),
        'start',
        '--config',
        template,
        ...overrides.flatMap((set) => ['--set', set]),
      ],
      { cwd: root, detached: true, stdio: ['ignore', log, log] },
    );
    closeSync(log);
    child.unref();
    writeFileSync(join(this.#dir, 'pid'), `${child.pid}`);
  }

  async status(): Promise<NodeStatus> {
    const pid = this.pid;
    if (pid === null) return { id: this.id, pid, state: 'stopped', listeners: [], waitingFor: null };
    const { ready, reason } = await this.#readiness();
    return {
      id: this.id,
      pid,
      state: ready ? 'ready' : 'starting',
      listeners: [this.url],
      waitingFor: ready ? null : reason,
    };
  }

  /** Resolves once the node serves. @throws Error when its process ends first, with the end of its log. */
  async untilReady(deadlineMs: number): Promise<void> {
    for (;;) {
      const status = await this.status();
      if (status.state === 'ready') return;
      if (status.state === 'stopped')
        throw new Error(`node ${this.id} ended while starting:\n${this.logTail(5)}`);
      if (Date.now() > deadlineMs) {
        throw new Error(`node ${this.id} is not ready: ${status.waitingFor}\n${this.logTail(5)}`);
      }
      await sleep(POLL_MS);
    }
  }

  /** Sends SIGKILL, or SIGTERM and, if it does not end in time, SIGKILL. False when it was not running. */
  async end(how: 'kill' | 'stop'): Promise<boolean> {
    const pid = this.pid;
    if (pid === null) return false;
    process.kill(pid, how === 'kill' ? 'SIGKILL' : 'SIGTERM');
    const deadlineMs = Date.now() + STOP_TIMEOUT_MS;
    while (isOurs(pid)) {
      if (Date.now() > deadlineMs) process.kill(pid, 'SIGKILL');
      await sleep(POLL_MS);
    }
    rmSync(join(this.#dir, 'pid'), { force: true });
    return true;
  }

  logTail(lines: number): string {
    if (!existsSync(this.logFile)) return '';
    return readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }

  async #readiness(): Promise<{ ready: boolean; reason: string }> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.port}/readyz`, {
        signal: AbortSignal.timeout(1000),
      });
      return { ready: response.ok, reason: (await response.text()).trim() };
    } catch {
      return { ready: false, reason: 'its listener to open' };
    }
  }
}

/** Whether a process with this id runs and is a node of ours, not another that inherited the number. */
function isOurs(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const commandLine = `/proc/${pid}/cmdline`;
  if (!existsSync('/proc/self/cmdline')) return true;
  try {
    return readFileSync(commandLine, 'utf8').includes('bin/odradek');
  } catch {
    return false;
  }
}
