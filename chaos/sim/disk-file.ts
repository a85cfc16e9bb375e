import type { Prng } from './prng.ts';

/** How unsynced changes fare at a power loss; the rest of the probability is `lost`. */
export interface Survival {
  readonly kept: number;
  readonly torn: number;
}

/** Disks write whole sectors: a torn write keeps a prefix to the byte, or any subset of its sectors. */
const SECTOR_BYTES = 512;

/** The part of a file that is on the platter. */
export interface DurableFile {
  readonly length: number;
  read(position: number, length: number): Uint8Array;
}

type Change =
  | { readonly kind: 'write'; readonly id: number; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly id: number; readonly length: number };

/** A growable byte image of a file. */
class Image {
  #bytes = new Uint8Array(0);
  length = 0;

  write(position: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#grow(position + bytes.length);
    this.#bytes.set(bytes, position);
  }

  truncate(length: number): void {
    if (length < this.length) this.#bytes.fill(0, length, this.length);
    else this.#grow(length);
    this.length = length;
  }

  read(position: number, length: number): Uint8Array {
    return this.#bytes.slice(position, Math.max(position, Math.min(position + length, this.length)));
  }

  flip(position: number, mask: number): void {
    if (position < this.length) this.#bytes[position] = (this.#bytes[position] ?? 0) ^ mask;
  }

  #grow(length: number): void {
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(length, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, this.length));
      this.#bytes = larger;
    }
    this.length = Math.max(this.length, length);
  }
}

/**
 * One file: what processes see (the page cache), what is on the platter, and the changes in between. A sync
 * carries the changes made before it over to the platter; a power loss makes the platter the truth.
 */
export class SimFile {
  readonly kind = 'file';
  readonly #cache = new Image();
  readonly #platter = new Image();
  #unsynced: Change[] = [];
  #nextChangeId = 1;

  get length(): number {
    return this.#cache.length;
  }

  get durable(): DurableFile {
    return this.#platter;
  }

  /** Identifies the newest change, so that a sync covers what came before it and no more. */
  get lastChangeId(): number {
    return this.#nextChangeId - 1;
  }

  read(position: number, length: number): Uint8Array {
    return this.#cache.read(position, length);
  }

  write(position: number, bytes: Uint8Array): void {
    this.#cache.write(position, bytes);
    this.#unsynced.push({ kind: 'write', id: this.#takeId(), position, bytes });
  }

  truncate(length: number): void {
    this.#cache.truncate(length);
    this.#unsynced.push({ kind: 'truncate', id: this.#takeId(), length });
  }

  /** Everything up to `lastChangeId` is durable now. */
  sync(lastChangeId: number): void {
    this.#settle(lastChangeId, (change) => apply(this.#platter, change));
  }

  /**
   * A sync that failed: the kernel marks the pages clean, so no later sync writes them. The cache still shows them;
   * what reached the platter is anyone's guess.
   */
  failSync(lastChangeId: number, random: Prng, survival: Survival): void {
    this.#settle(lastChangeId, (change) => this.#applyByChance(change, random, survival));
  }

  powerLoss(random: Prng, survival: Survival): void {
    this.#settle(Number.POSITIVE_INFINITY, (change) => this.#applyByChance(change, random, survival));
    this.#cache.truncate(0);
    this.#cache.write(0, this.#platter.read(0, this.#platter.length));
    this.#cache.truncate(this.#platter.length);
  }

  /** Bit rot: changes a byte behind everybody's back. */
  corrupt(position: number, mask: number): void {
    this.#cache.flip(position, mask);
    this.#platter.flip(position, mask);
  }

  #takeId(): number {
    this.#nextChangeId += 1;
    return this.#nextChangeId - 1;
  }

  #settle(lastChangeId: number, settle: (change: Change) => void): void {
    const changes = this.#unsynced;
    this.#unsynced = changes.filter(({ id }) => id > lastChangeId);
    for (const change of changes) {
      if (change.id <= lastChangeId) settle(change);
    }
  }

  #applyByChance(change: Change, random: Prng, survival: Survival): void {
    const fate = random.float();
    if (fate < survival.kept) {
      apply(this.#platter, change);
    } else if (fate < survival.kept + survival.torn && change.kind === 'write') {
      for (const piece of tear(change.position, change.bytes, random))
        apply(this.#platter, { ...change, ...piece });
    }
  }
}

function apply(image: Image, change: Change): void {
  if (change.kind === 'write') image.write(change.position, change.bytes);
  else image.truncate(change.length);
}

/** What is left of a write that the power loss interrupted. */
function tear(
  position: number,
  bytes: Uint8Array,
  random: Prng,
): { readonly position: number; readonly bytes: Uint8Array }[] {
  if (random.chance(0.5)) return [{ position, bytes: bytes.subarray(0, random.between(0, bytes.length)) }];
  const pieces: { position: number; bytes: Uint8Array }[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = Math.min(bytes.length, start + SECTOR_BYTES - ((position + start) % SECTOR_BYTES));
    if (random.chance(0.5)) pieces.push({ position: position + start, bytes: bytes.subarray(start, end) });
    start = end;
  }
  return pieces;
}
