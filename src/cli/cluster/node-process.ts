import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askReadiness, isListening } from './readiness.ts';

type NodeState = 'ready' | 'starting' | 'stopped';

export interface NodeStatus {
  readonly id: number;
  readonly pid: number | null;
  readonly state: NodeState;
  readonly listeners: readonly string[];
  /** What a running node still waits for; null when it is ready or stopped. */
  readonly waitingFor: string | null;
}

/** Where a node runs. */
interface Place {
  readonly port: number;
  readonly kafkaPort: number;
  /** The address to listen on; that of this machine to itself unless set. */
  readonly host?: string;
  /** Stands before the command line: what makes it run elsewhere, such as in a network namespace. */
  readonly within?: readonly string[];
  /** More environment. */
  readonly env?: Readonly<Record<string, string>>;
}

const root = resolve(import.meta.dirname, '../../..');
const LOCALHOST = '127.0.0.1';
/** Longer than a controlled shutdown may take. */
const STOP_TIMEOUT_MS = 15_000;
/** For the kernel to close what a dead process had open. */
const CLOSE_TIMEOUT_MS = 5000;
const POLL_MS = 10;

/** One node of a local cluster: its process, its folder and its log file. */
export class NodeProcess {
  readonly id: number;
  readonly port: number;
  readonly kafkaPort: number;
  readonly host: string;
  readonly #within: readonly string[];
  readonly #env: Readonly<Record<string, string>>;
  readonly #dir: string;
  readonly #overrides: readonly string[];

  constructor(id: number, clusterDir: string, place: Place, overrides: readonly string[]) {
    this.id = id;
    this.port = place.port;
    this.kafkaPort = place.kafkaPort;
    this.host = place.host ?? LOCALHOST;
    this.#within = place.within ?? [];
    this.#env = place.env ?? {};
    this.#dir = resolve(clusterDir, `node-${id}`);
    this.#overrides = overrides;
  }

  get url(): string {
    return `ws://${this.host}:${this.port}`;
  }

  get dataDir(): string {
    return join(this.#dir, 'data');
  }

  get logFile(): string {
    return join(this.#dir, 'node.log');
  }

  /** The id of the running process; null when there is none. */
  get pid(): number | null {
    const file = join(this.#dir, 'pid');
    if (!existsSync(file)) return null;
    const pid = Number(readFileSync(file, 'utf8'));
    return Number.isSafeInteger(pid) && pid > 0 && this.#isOurs(pid) ? pid : null;
  }

  /**
   * Starts the process in the background; it outlives this one. A running node is left alone.
   * @throws Error when another process has its port
   */
  async spawn(): Promise<void> {
    if (this.pid !== null) return;
    for (const port of [this.port, this.kafkaPort]) {
      if (!(await isListening(this.host, port))) continue;
      const option = port === this.port ? '--base-port' : '--kafka-base-port';
      throw new Error(
        `port ${port}, which node ${this.id} needs, is in use by another process; stop that one or choose other ports (${option}, with another --dir)`,
      );
    }
    mkdirSync(this.#dir, { recursive: true });
    const log = openSync(this.logFile, 'a');
    // Options of node itself (a heap limit, a profiler) hold for the nodes too. Every partition that was written to is
    // synced at once, each on a thread of its own.
    const [command = process.execPath, ...args] = [
      ...this.#within,
      process.execPath,
      ...process.execArgv,
      ...this.#commandLine(),
    ];
    const child = spawn(command, args, {
      cwd: root,
      detached: true,
      stdio: ['ignore', log, log],
      env: { UV_THREADPOOL_SIZE: '16', ...process.env, ...this.#env },
    });
    closeSync(log);
    child.unref();
    writeFileSync(join(this.#dir, 'pid'), `${child.pid}`);
    // The kernel tells that the program is loaded a moment before it shows its command line: until then the process is not
    // known for this node, and would be taken for one that ended.
    while (this.pid === null && child.exitCode === null && child.signalCode === null) await sleep(POLL_MS);
  }

  async status(): Promise<NodeStatus> {
    const { pid } = this;
    if (pid === null) return { id: this.id, pid, state: 'stopped', listeners: [], waitingFor: null };
    const { ready, reason } = await askReadiness(this.host, this.port);
    return {
      id: this.id,
      pid,
      state: ready ? 'ready' : 'starting',
      listeners: [this.url, `kafka://${this.host}:${this.kafkaPort}`],
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
        throw new Error(
          `node ${this.id} is not ready: it waits for ${status.waitingFor}\n${this.logTail(5)}`,
        );
      }
      await sleep(POLL_MS);
    }
  }

  /** Sends SIGKILL, or SIGTERM and, if it does not end in time, SIGKILL. False when it was not running. */
  async end(how: 'kill' | 'stop'): Promise<boolean> {
    const { pid } = this;
    if (pid === null) return false;
    signal(pid, how === 'kill' ? 'SIGKILL' : 'SIGTERM');
    const deadlineMs = Date.now() + STOP_TIMEOUT_MS;
    while (this.#isOurs(pid)) {
      if (Date.now() > deadlineMs) signal(pid, 'SIGKILL');
      await sleep(POLL_MS);
    }
    await this.#untilClosed();
    rmSync(join(this.#dir, 'pid'), { force: true });
    return true;
  }

  /**
   * A dying process has no command line any more before the kernel has closed its sockets, one thread after the other: who
   * starts the node again at once would find its ports taken.
   */
  async #untilClosed(): Promise<void> {
    const deadlineMs = Date.now() + CLOSE_TIMEOUT_MS;
    for (const port of [this.port, this.kafkaPort]) {
      while (Date.now() < deadlineMs && (await isListening(this.host, port))) await sleep(POLL_MS);
    }
  }

  /** Sends a signal without waiting for what comes of it. False when it is not running. */
  signal(name: NodeJS.Signals): boolean {
    const { pid } = this;
    if (pid !== null) signal(pid, name);
    return pid !== null;
  }

  logTail(lines: number): string {
    if (!existsSync(this.logFile)) return '';
    return readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }

  get #dataDirSetting(): string {
    return `dataDir=${this.dataDir}`;
  }

  #commandLine(): string[] {
    const template = join(root, 'config', `node-${Math.min(this.id, 3)}.yaml`);
    const settings = [
      `nodeId=${this.id}`,
      `port=${this.port}`,
      `kafka.port=${this.kafkaPort}`,
      ...(this.host === LOCALHOST ? [] : [`host=${this.host}`]),
      `rack=rack-${this.id}`,
      this.#dataDirSetting,
      ...this.#overrides,
    ];
    const sets = settings.flatMap((setting) => ['--set', setting]);
    return [join(root, 'bin/odradek'), 'start', '--config', template, ...sets];
  }

  /** Whether a process with this id runs and is this very node, not another that inherited the number. */
  #isOurs(pid: number): boolean {
    try {
      process.kill(pid, 0);
    } catch {
      return false;
    }
    // Without /proc there is no way to tell; a dead child of this process is then a zombie until Node.js reaps it.
    if (!existsSync('/proc/self/cmdline')) return true;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(this.#dataDirSetting);
    } catch {
      return false;
    }
  }
}

/** A process that ended in between is as good. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
