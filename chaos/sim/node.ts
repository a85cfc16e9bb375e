import type { Logger, Platform, Timer } from '../../src/platform/ports.ts';
import { SimDisk } from './disk.ts';
import type { SimEvent } from './event-queue.ts';
import type { SimLogLine, SimWorld } from './world.ts';

/** Thrown out of `platform.crash`, so that the dead process runs no further; the world swallows it. */
export class SimCrash extends Error {
  override readonly name = 'SimCrash';
}

/** One life of the process on a node. Everything it set in motion stops with it. */
export interface Incarnation {
  readonly node: SimNode;
  readonly number: number;
  alive: boolean;
}

/**
 * One machine: a disk that outlives crashes, a clock with an offset, and at most one process at a time.
 * `platform` belongs to the running process; after a crash, `restart()` hands out that of the next one.
 */
export class SimNode {
  readonly name: string;
  readonly disk: SimDisk;
  /** The wall clock of this machine runs ahead of the world's by this much; change it to make it jump. */
  wallOffsetMs = 0;
  /** What `platform.crash` was called with, oldest first. */
  readonly crashes: Error[] = [];
  /** Called when the process is gone, or the power with it. */
  onCrash: ((kind: 'process' | 'power') => void) | undefined;
  /** How fast its clocks run; set with `drift`. */
  #clockRate = 1;
  #clockSetAtMs = 0;
  #clockMs = 0;
  readonly #world: SimWorld;
  readonly #held: SimEvent[] = [];
  #incarnation: Incarnation;
  #platform: Platform;
  #paused = false;
  #powered = true;

  constructor(world: SimWorld, name: string) {
    this.#world = world;
    this.name = name;
    this.disk = new SimDisk(world, name);
    this.#incarnation = { node: this, number: 1, alive: true };
    this.#platform = this.#buildPlatform(this.#incarnation);
  }

  get running(): boolean {
    return this.#incarnation.alive;
  }

  /** False from a power loss until the restart: such a machine does not even refuse connections. */
  get powered(): boolean {
    return this.#powered;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get incarnation(): Incarnation {
    return this.#incarnation;
  }

  get platform(): Platform {
    if (!this.running) throw new Error(`node ${this.name} is down: restart() it first`);
    return this.#platform;
  }

  /** From now on the clocks of this machine run `rate` times as fast as the world's (1: exactly). */
  drift(rate: number): void {
    this.#clockMs = this.#monotonicMs();
    this.#clockSetAtMs = this.#world.nowMs;
    this.#clockRate = rate;
  }

  /** Kills the process (SIGKILL): the page cache survives, peers see resets. */
  processCrash(): void {
    this.#die('process');
  }

  /** Cuts the power: unsynced data is lost (in parts, by seed), and peers hear nothing. */
  powerLoss(): void {
    this.#die('power');
  }

  /** Starts the next process on this machine. */
  restart(): Platform {
    if (this.running) throw new Error(`node ${this.name} is running`);
    this.#powered = true;
    this.#incarnation = { node: this, number: this.#incarnation.number + 1, alive: true };
    this.#platform = this.#buildPlatform(this.#incarnation);
    this.#world.trace.add(`restart ${this.name}`);
    this.#world.network.nodeStarted(this);
    return this.#platform;
  }

  /** Freezes the process (SIGSTOP) while clocks go on; what happens to it waits for `resume`. */
  pause(): void {
    this.#paused = true;
    this.#world.network.nodePaused(this);
  }

  resume(): void {
    this.#paused = false;
    this.#world.network.nodePaused(this);
    for (const held of this.#held.splice(0)) {
      const again = this.#world.schedule(
        0,
        held.label,
        () => {
          if (!held.cancelled) held.run();
        },
        held.owner,
        held.detail,
      );
      if (held.cancelled) this.#world.cancel(again);
    }
  }

  /** Keeps an event that came up while the process was paused (called by the world). */
  hold(event: SimEvent): void {
    this.#held.push(event);
  }

  #monotonicMs(): number {
    return this.#clockMs + (this.#world.nowMs - this.#clockSetAtMs) * this.#clockRate;
  }

  #die(kind: 'process' | 'power'): void {
    if (!this.running && (kind === 'process' || !this.#powered)) return;
    const wasRunning = this.running;
    this.#incarnation.alive = false;
    this.#paused = false;
    this.#held.length = 0;
    this.#powered &&= kind === 'process';
    this.#world.trace.add(`${kind} crash ${this.name}`);
    if (wasRunning) this.disk.processCrash();
    if (kind === 'power') this.disk.powerLoss();
    this.#world.network.nodeStopped(this, kind);
    this.onCrash?.(kind);
  }

  #buildPlatform(owner: Incarnation): Platform {
    const world = this.#world;
    const logger = this.#buildLogger({}, owner);
    const random = world.random.fork(`random/${this.name}/${owner.number}`);
    const schedule = (delayMs: number, label: string, fn: () => void): Timer => ({
      timer: owner.alive ? world.schedule(delayMs, label, fn, owner) : undefined,
    });
    return {
      clock: {
        wallMs: () => Math.floor(world.startWallMs + this.#monotonicMs() + this.wallOffsetMs),
        monotonicMs: () => this.#monotonicMs(),
      },
      timers: {
        // Node.js waits for a millisecond at least, so a clock that rounds to just before a deadline does no harm.
        set: (delayMs, fn) => schedule(Math.max(1, delayMs) / this.#clockRate, 'timer', fn),
        clear: ({ timer }) => {
          if (timer !== undefined) world.cancel(timer as SimEvent);
        },
        soon: (fn) => {
          schedule(0, 'soon', fn);
        },
      },
      random: { float: () => random.float(), bytes: (length) => random.bytes(length) },
      network: world.network.portFor(owner),
      disk: this.disk.portFor(owner),
      logger,
      crash: (error) => {
        if (owner.alive) {
          this.crashes.push(error);
          this.#addLogLine(owner, 'fatal', { err: error }, 'The node crashes on a broken invariant');
          this.processCrash();
        }
        throw new SimCrash(`node ${this.name} crashed: ${error.message}`, { cause: error });
      },
    };
  }

  #buildLogger(bound: object, owner: Incarnation): Logger {
    const write = (level: SimLogLine['level']) => (fields: object, message: string) =>
      this.#addLogLine(owner, level, { ...bound, ...fields }, message);
    return {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      child: (fields) => this.#buildLogger({ ...bound, ...fields }, owner),
    };
  }

  #addLogLine(owner: Incarnation, level: SimLogLine['level'], fields: object, message: string): void {
    if (owner.alive)
      this.#world.addLogLine({ atMs: this.#world.nowMs, node: this.name, level, fields, message });
  }
}
