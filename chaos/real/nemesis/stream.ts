import type { Socket } from 'node:net';

/** What a link does to the bytes of one direction. */
export interface Conditions {
  /** Nothing passes; it waits, as it does in a kernel that gets no acknowledgements, and passes once healed. */
  readonly cut: boolean;
  readonly delayMs: number;
  /** The same again, at most, by chance. */
  readonly jitterMs: number;
  /** 0: no limit. */
  readonly bytesPerSecond: number;
  /** For each chunk that is read from a socket: the chance that a bit of it flips. */
  readonly corruptChance: number;
  /** For each chunk: the chance that the connection is reset instead. */
  readonly resetChance: number;
}

export const CLEAR: Conditions = {
  cut: false,
  delayMs: 0,
  jitterMs: 0,
  bytesPerSecond: 0,
  corruptChance: 0,
  resetChance: 0,
};

const HELD_BYTES_MAX = 1024 * 1024;

type Item = { readonly dueMs: number } & ({ readonly bytes: Buffer } | { readonly end: 'fin' | 'reset' });

/** Carries the bytes of one direction of one connection from a socket to another, as the conditions allow. */
export class Stream {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #conditions: () => Conditions;
  readonly #random: () => number;
  readonly #onReset: () => void;
  readonly #queue: Item[] = [];
  #heldBytes = 0;
  #lastDueMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #isBlocked = false;
  #swallows = false;

  constructor(o: {
    readonly from: Socket;
    readonly to: Socket;
    readonly conditions: () => Conditions;
    readonly random: () => number;
    /** Before its end is passed on: the other end may have died, which others should see first. */
    readonly beforeEnd: () => Promise<void>;
    readonly onReset: () => void;
  }) {
    this.#from = o.from;
    this.#to = o.to;
    this.#conditions = o.conditions;
    this.#random = o.random;
    this.#onReset = o.onReset;
    let ended = false;
    const end = (how: 'fin' | 'reset') => {
      if (ended) return;
      ended = true;
      void o.beforeEnd().then(() => this.#put({ dueMs: this.#dueMs(), end: how }));
    };
    o.from.on('data', (bytes: Buffer) => this.#take(bytes));
    o.from.on('end', () => end('fin'));
    o.from.on('error', () => end('reset'));
    o.from.on('close', () => end('reset'));
    o.to.on('drain', () => {
      this.#isBlocked = false;
      this.update();
    });
  }

  get swallows(): boolean {
    return this.#swallows;
  }

  /** From now on nothing comes out, whatever goes in, and nobody is told. */
  swallow(): void {
    this.#swallows = true;
    this.#queue.length = 0;
    this.#heldBytes = 0;
    this.#from.resume();
  }

  /** The conditions have changed, or there is room again. */
  update(): void {
    this.#pump();
    const stands = this.#conditions().cut || this.#heldBytes > HELD_BYTES_MAX;
    if (stands && !this.#swallows) this.#from.pause();
    else this.#from.resume();
  }

  #take(bytes: Buffer): void {
    if (this.#swallows) return;
    const { corruptChance, resetChance } = this.#conditions();
    if (resetChance > 0 && this.#random() < resetChance) {
      this.#onReset();
      return;
    }
    if (corruptChance > 0 && this.#random() < corruptChance) {
      const at = Math.floor(this.#random() * bytes.length);
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << Math.floor(this.#random() * 8)), at);
    }
    this.#heldBytes += bytes.length;
    this.#put({ dueMs: this.#dueMs(bytes.length), bytes });
    if (this.#heldBytes > HELD_BYTES_MAX) this.update();
  }

  /** In order, whatever the jitter. */
  #dueMs(bytes = 0): number {
    const { delayMs, jitterMs, bytesPerSecond } = this.#conditions();
    const transferMs = bytesPerSecond > 0 ? (bytes / bytesPerSecond) * 1000 : 0;
    const arrivesMs = performance.now() + delayMs + this.#random() * jitterMs;
    this.#lastDueMs = Math.max(this.#lastDueMs, arrivesMs) + transferMs;
    return this.#lastDueMs;
  }

  #put(item: Item): void {
    if (this.#swallows) return;
    this.#queue.push(item);
    this.#pump();
  }

  #pump(): void {
    if (this.#conditions().cut) return;
    const now = performance.now();
    for (let item = this.#queue[0]; item !== undefined && !this.#isBlocked; item = this.#queue[0]) {
      if (item.dueMs > now) {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.update(), item.dueMs - now);
        return;
      }
      this.#queue.shift();
      if ('end' in item) {
        if (item.end === 'fin') this.#to.end();
        else this.#to.resetAndDestroy();
        return;
      }
      this.#heldBytes -= item.bytes.length;
      if (!this.#to.destroyed && this.#to.writable && !this.#to.write(item.bytes)) this.#isBlocked = true;
    }
  }
}
