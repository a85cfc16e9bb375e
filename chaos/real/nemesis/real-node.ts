import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeProcess } from '../../../src/cli/cluster/node-process.ts';
import type { Volume } from './volume.ts';

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
/** By then a process that refuses to start with its files has ended. */
const REFUSAL_TIMEOUT_MS = 10_000;
/** Until the process has noticed that its disk works, or has ended of what failed last. */
const MEND_MS = 300;

/** One node of a cluster under test, and what can be done to it. */
export class RealNode {
  readonly id: number;
  readonly #process: NodeProcess;
  readonly #controlFile: string;
  #connect: Readonly<Record<string, string>> = {};
  #disk: readonly DiskFault[] = [];
  #isPaused = false;
  #isDamaged = false;

  /** What its data lie on, where that is a volume of their own. */
  readonly volume: Volume | undefined;

  constructor(process: NodeProcess, controlFile: string, volume?: Volume) {
    this.id = process.id;
    this.volume = volume;
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

  /** Its files were damaged. What it has not come across yet is still so. */
  get isDamaged(): boolean {
    return this.#isDamaged;
  }

  noteDamage(): void {
    this.#isDamaged = true;
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

  /** Its disk works again; a process that could not live with its faults is started anew. */
  async mendDisk(): Promise<void> {
    this.setDisk([]);
    await sleep(MEND_MS);
    await this.spawn();
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

  /**
   * Starts a process whose files may be damaged. One that refuses to start with them gets an empty disk, as its log
   * advises: it has told, and others have all that it had. One that runs and waits for others is not waited for: they may
   * be struck as well, and are only healed after this.
   */
  async startOrReplace(): Promise<void> {
    await this.spawn();
    try {
      await this.untilReady(REFUSAL_TIMEOUT_MS);
    } catch {
      if (this.isRunning) return;
      this.wipe();
      await this.spawn();
    }
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
    this.#isDamaged = false;
    // Not the folder itself, which may be where a volume is mounted.
    for (const name of existsSync(this.dataDir) ? readdirSync(this.dataDir) : [])
      rmSync(join(this.dataDir, name), { recursive: true, force: true });
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
