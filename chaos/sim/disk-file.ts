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

/** What lay where the disk gives back other bytes now. */
interface Damage {
  pieces: readonly { readonly position: number; readonly sound: Uint8Array }[];
}

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
  readonly #damages = new Set<Damage>();
  #unsynced: Change[] = [];
  /** While syncs of this file lie: what is on the platter in truth, and the changes that are said to be. */
  #lie: { readonly platter: Uint8Array; readonly claimed: Change[] } | undefined;
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
    this.#isReplaced(position, position + bytes.length);
    this.#cache.write(position, bytes);
    this.#unsynced.push({ kind: 'write', id: this.#takeId(), position, bytes });
  }

  truncate(length: number): void {
    this.#isReplaced(length, Number.POSITIVE_INFINITY);
    this.#cache.truncate(length);
    this.#unsynced.push({ kind: 'truncate', id: this.#takeId(), length });
  }

  /** Everything up to `lastChangeId` is durable now. */
  sync(lastChangeId: number): void {
    this.#settle(lastChangeId, (change) => {
      apply(this.#platter, change);
      this.#lie?.claimed.push(change);
    });
  }

  /** From now on syncs lie. Nobody can tell, until `expose` or `endLie`, which has everything written after all. */
  beginLie(): void {
    this.#lie ??= { platter: this.#platter.read(0, this.#platter.length), claimed: [] };
  }

  endLie(): void {
    this.#lie = undefined;
  }

  /**
   * What syncs claimed since the lie began fares as though there had been none, but for the length, which file systems note
   * first: what is missing is zeros, also where something older lay, which no checksum tells from what it should be. A power loss follows. The function returned gives it back, as that of `damage` does.
   */
  expose(random: Prng, survival: Survival): () => void {
    if (!this.#lie) return () => {};
    const { platter, claimed } = this.#lie;
    this.#lie = undefined;
    const promised = this.#platter.read(0, this.#platter.length);
    this.#platter.truncate(0);
    this.#platter.write(0, platter);
    for (const change of claimed)
      if (change.kind === 'write') this.#platter.write(change.position, new Uint8Array(change.bytes.length));
    for (const change of claimed) this.#applyByChance(change, random, survival);
    this.#platter.truncate(promised.length);
    return this.#damaged(differences(promised, this.#platter.read(0, this.#platter.length)));
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

  /**
   * Puts other bytes in the place of some, behind everybody's back. The function returned puts back what was there, where
   * nothing was written or cut off since.
   */
  damage(position: number, bytes: Uint8Array): () => void {
    const pieces = [{ position, sound: this.#cache.read(position, bytes.length) }];
    this.#overwrite(position, bytes);
    return this.#damaged(pieces);
  }

  #damaged(pieces: Damage['pieces']): () => void {
    const damage: Damage = { pieces };
    this.#damages.add(damage);
    return () => {
      if (!this.#damages.delete(damage)) return;
      for (const { position: at, sound } of damage.pieces) this.#overwrite(at, sound);
    };
  }

  #overwrite(position: number, bytes: Uint8Array): void {
    for (const image of [this.#cache, this.#platter])
      image.write(position, bytes.subarray(0, Math.max(0, image.length - position)));
  }

  /** What was damaged from `start` to `end` is no longer there. */
  #isReplaced(start: number, end: number): void {
    for (const damage of this.#damages) {
      damage.pieces = damage.pieces.flatMap(({ position, sound }) => {
        const before = sound.subarray(0, Math.max(0, start - position));
        const behind = sound.subarray(Math.max(0, Math.min(sound.length, end - position)));
        return [
          { position, sound: before },
          { position: position + sound.length - behind.length, sound: behind },
        ].filter((piece) => piece.sound.length > 0);
      });
    }
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

/** The runs of bytes that the second one has otherwise than the first, as far as both reach. */
function differences(one: Uint8Array, other: Uint8Array): Damage['pieces'] {
  const pieces: { position: number; sound: Uint8Array }[] = [];
  const length = Math.min(one.length, other.length);
  for (let start = 0; start < length; start += 1) {
    let end = start;
    while (end < length && one[end] !== other[end]) end += 1;
    if (end > start) pieces.push({ position: start, sound: one.slice(start, end) });
    start = end;
  }
  return pieces;
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
