/** What a change since the last sync would have to be undone with: the length before it, and the bytes it covered. */
interface Undo {
  readonly length: number;
  readonly position: number;
  readonly covered: Uint8Array;
}

const CAPACITY_BYTES_MIN = 256;

/**
 * The bytes of one file of a `MemoryDisk`. A power loss takes back what was not synced. Appends, by far the most
 * frequent change, cover nothing and so cost no copy for that.
 */
export class MemoryFile {
  readonly kind = 'file';
  #bytes = new Uint8Array(0);
  #length = 0;
  #unsynced: Undo[] = [];

  get length(): number {
    return this.#length;
  }

  read(position: number, length: number): Uint8Array {
    return this.#bytes.slice(position, Math.max(position, Math.min(position + length, this.#length)));
  }

  write(position: number, parts: readonly Uint8Array[]): void {
    const end = parts.reduce((sum, part) => sum + part.length, position);
    if (end === position) return;
    this.#remember(position, end);
    this.#reserve(end);
    let at = position;
    for (const part of parts) {
      this.#bytes.set(part, at);
      at += part.length;
    }
    this.#length = Math.max(this.#length, end);
  }

  truncate(length: number): void {
    this.#remember(length, this.#length);
    this.#resize(length);
  }

  sync(): void {
    this.#unsynced = [];
  }

  /** Back to what was synced. */
  powerLoss(): void {
    for (const { length, position, covered } of this.#unsynced.reverse()) {
      this.#resize(length);
      if (covered.length > 0) this.#bytes.set(covered, position);
    }
    this.#unsynced = [];
  }

  #remember(from: number, to: number): void {
    const last = this.#unsynced.at(-1);
    // A run of appends is undone by one cut.
    if (from >= this.#length && last !== undefined && last.covered.length === 0) return;
    this.#unsynced.push({ length: this.#length, position: from, covered: this.read(from, to - from) });
  }

  #resize(length: number): void {
    this.#reserve(length);
    if (length === 0) this.#bytes = new Uint8Array(0);
    else if (length < this.#length) this.#bytes.fill(0, length, this.#length);
    this.#length = length;
  }

  #reserve(length: number): void {
    if (length <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(length, CAPACITY_BYTES_MIN, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
