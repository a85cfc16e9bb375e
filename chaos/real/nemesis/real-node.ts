import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { NodeProcess } from '../../../src/cli/cluster/node-process.ts';

/** What the disk of a node does; see `shim.mjs`, which does it. */
export interface DiskFault {
  readonly operation: 'write' | 'sync' | 'read';
  /** A regular expression over paths. */
  readonly path: string;
  /** Of each operation. */
  readonly chance: number;
  /** None: it only takes long. */
  readonly error?: 'EIO' | 'ENOSPC';
  readonly delayMs?: number;
}

const START_TIMEOUT_MS = 60_000;

/** One node of a cluster under test, and what can be done to it. */
export class RealNode {
  readonly id: number;
  readonly #process: NodeProcess;
  readonly #controlFile: string;
  #connect: Readonly<Record<string, string>> = {};
  #disk: readonly DiskFault[] = [];
  #isPaused = false;

  constructor(process: NodeProcess, controlFile: string) {
    this.id = process.id;
    this.#process = process;
    this.#controlFile = controlFile;
  }

  get url(): string {
    return this.#process.url;
  }

  get dataDir(): string {
    return this.#process.dataDir;
  }

  get logFile(): string {
    return this.#process.logFile;
  }

  get isRunning(): boolean {
    return this.#process.pid !== null;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** What it dials instead of its peers' own addresses. */
  redirect(addresses: Readonly<Record<string, string>>): void {
    this.#connect = addresses;
    this.#writeControl();
  }

  /** The faults of its disk from now on, within 20 ms. */
  setDisk(faults: readonly DiskFault[]): void {
    this.#disk = faults;
    this.#writeControl();
  }

  /** Starts the process, without waiting until it serves. */
  async spawn(): Promise<void> {
    this.#isPaused = false;
    await this.#process.spawn();
  }

  /** Starts the process if none runs, and resolves once it serves. @throws Error that says what it waits for */
  async start(): Promise<void> {
    await this.spawn();
    await this.untilReady();
  }

  async untilReady(timeoutMs = START_TIMEOUT_MS): Promise<void> {
    await this.#process.untilReady(Date.now() + timeoutMs);
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.#process.end('kill');
    this.#isPaused = false;
  }

  /** SIGTERM; a node that does not end within 15 s is killed. */
  async stop(): Promise<void> {
    this.resume();
    await this.#process.end('stop');
  }

  /** SIGSTOP. */
  pause(): void {
    this.#isPaused = this.#process.signal('SIGSTOP');
  }

  /** SIGCONT. */
  resume(): void {
    this.#process.signal('SIGCONT');
    this.#isPaused = false;
  }

  /** Deletes all that the node remembers; it must not run. */
  wipe(): void {
    if (this.isRunning) throw new Error(`node ${this.id} runs`);
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  status(): ReturnType<NodeProcess['status']> {
    return this.#process.status();
  }

  logTail(lines: number): string {
    return this.#process.logTail(lines);
  }

  #writeControl(): void {
    const folder = dirname(this.#controlFile);
    if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
    const next = join(folder, 'control.next');
    writeFileSync(next, JSON.stringify({ connect: this.#connect, disk: this.#disk }));
    renameSync(next, this.#controlFile);
  }
}
