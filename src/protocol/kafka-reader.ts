import { readInt8, readInt16, readInt32, readInt64 } from './bytes.ts';
import { ProtocolError } from './protocol-error.ts';
import { readUtf8 } from './utf8.ts';
import { uuidFromBytes } from './uuid.ts';

const VARINT_BYTES_MAX = 5;
const UUID_BYTES = 16;

/** Reads a message in Kafka's encoding from front to back. Whatever lies beyond its end is a `ProtocolError`. */
export class KafkaReader {
  readonly #bytes: Uint8Array;
  #position = 0;
  #end: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  get remaining(): number {
    return this.#end - this.#position;
  }

  int8(): number {
    return readInt8(this.#bytes, this.#advance(1));
  }

  int16(): number {
    return readInt16(this.#bytes, this.#advance(2));
  }

  int32(): number {
    return readInt32(this.#bytes, this.#advance(4));
  }

  /**
   * Beyond 2^53, the nearest safe integer. No offset, timestamp or id of ours comes near, and where a client says
   * Long.MAX_VALUE, it means "as far as there is".
   */
  int64(): number {
    const value = readInt64(this.#bytes, this.#advance(8));
    if (value > Number.MAX_SAFE_INTEGER) return Number.MAX_SAFE_INTEGER;
    return Math.max(value, Number.MIN_SAFE_INTEGER);
  }

  /** A 32-bit integer in groups of seven bits, the lowest first. */
  unsignedVarint(): number {
    let value = 0;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = this.#bytes[this.#advance(1)] as number;
      value |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) return value >>> 0;
    }
    throw new ProtocolError(`a varint is longer than ${VARINT_BYTES_MAX} bytes`);
  }

  uuid(): string {
    return uuidFromBytes(this.take(UUID_BYTES));
  }

  utf8(length: number): string {
    return readUtf8(this.take(length));
  }

  /** The next bytes, as a view: they are not copied. */
  take(length: number): Uint8Array {
    const start = this.#advance(length);
    // A plain Uint8Array, whatever the frame is: the `slice` of Node's Buffer would not copy.
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + start, length);
  }

  /** Reads what must take just `length` bytes. */
  within<T>(length: number, read: (reader: KafkaReader) => T): T {
    const end = this.#advance(length) + length;
    const outerEnd = this.#end;
    this.#position = end - length;
    this.#end = end;
    const value = read(this);
    if (this.#position !== end)
      throw new ProtocolError(`${end - this.#position} of ${length} bytes remain behind a tagged field`);
    this.#end = outerEnd;
    return value;
  }

  /** Checks the bounds and moves on; returns the position before. */
  #advance(length: number): number {
    if (length > this.remaining) {
      throw new ProtocolError(`a field of ${length} bytes where ${this.remaining} remain`);
    }
    const position = this.#position;
    this.#position += length;
    return position;
  }
}
