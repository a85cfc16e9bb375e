import { writeInt16, writeInt32, writeInt64 } from './bytes.ts';
import { utf8Bytes, writeUtf8 } from './utf8.ts';
import { uuidToBytes } from './uuid.ts';

const CHUNK_BYTES = 256;

/**
 * Writes a message in Kafka's encoding as a list of parts: what is written field by field goes into growing chunks, and
 * runs of record batches stand between them as they are.
 */
export class KafkaWriter {
  readonly #parts: Uint8Array[] = [];
  #chunk = new Uint8Array(CHUNK_BYTES);
  /** Where in the chunk the part that is being written begins, and how far it is. */
  #start = 0;
  #position = 0;

  int8(value: number): void {
    const position = this.#reserve(1);
    this.#chunk[position] = value;
  }

  int16(value: number): void {
    const position = this.#reserve(2);
    writeInt16(this.#chunk, position, value);
  }

  int32(value: number): void {
    const position = this.#reserve(4);
    writeInt32(this.#chunk, position, value);
  }

  int64(value: number): void {
    const position = this.#reserve(8);
    writeInt64(this.#chunk, position, value);
  }

  unsignedVarint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.int8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.int8(rest);
  }

  uuid(value: string): void {
    this.bytes(uuidToBytes(value));
  }

  /** Writes a text behind its length in bytes, which `length` writes. */
  utf8(value: string, length: (bytes: number) => void): void {
    const count = utf8Bytes(value);
    length(count);
    const position = this.#reserve(count);
    writeUtf8(this.#chunk, position, value);
  }

  /** Copies a few bytes. */
  bytes(value: Uint8Array): void {
    const position = this.#reserve(value.length);
    this.#chunk.set(value, position);
  }

  /** Adds a run of bytes as it is. */
  part(value: Uint8Array): void {
    if (value.length === 0) return;
    this.#endPart();
    this.#parts.push(value);
  }

  /** Everything written. Nothing may be written afterwards. */
  parts(): Uint8Array[] {
    this.#endPart();
    return this.#parts;
  }

  #endPart(): void {
    if (this.#position > this.#start) this.#parts.push(this.#chunk.subarray(this.#start, this.#position));
    this.#start = this.#position;
  }

  /** Makes room; returns where it begins. */
  #reserve(length: number): number {
    const position = this.#position;
    if (position + length <= this.#chunk.length) {
      this.#position += length;
      return position;
    }
    // Parts that are complete go on lying in the old chunk.
    const written = this.#chunk.subarray(this.#start, position);
    this.#chunk = new Uint8Array(Math.max(2 * this.#chunk.length, written.length + length));
    this.#chunk.set(written);
    this.#start = 0;
    this.#position = written.length + length;
    return written.length;
  }
}
