/**
 * As much of msgpackr as `msgpack.ts` uses, at a tenth of its weight: the bundle for browsers has this in its place (see
 * `bundle` in package.json), where nearly a quarter of every download was maps, extensions, records and generated code that
 * messages never hold. A test holds the two against each other.
 */

import { readInt8, readInt16, readInt32, readInt64, readUint32, writeInt16, writeInt32 } from './bytes.ts';
import { readUtf8, utf8Bytes, writeUtf8 } from './utf8.ts';

/** Here in name only: each result is valid until the next, whatever the mode. */
export const RESET_BUFFER_MODE = 0;

const BUFFER_BYTES = 1_024;
const TWO_32 = 0x1_0000_0000;

/** Packs nil, booleans, numbers, strings, bytes, and arrays of these. */
export class Packr {
  #bytes = new Uint8Array(BUFFER_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #end = 0;

  /** A view of this packer's own buffer, which the next call overwrites. */
  pack(value: unknown, _mode?: number): Uint8Array {
    this.#end = 0;
    this.#put(value);
    return this.#bytes.subarray(0, this.#end);
  }

  #put(value: unknown): void {
    if (typeof value === 'number') this.#putNumber(value);
    else if (typeof value === 'string') this.#putString(value);
    else if (value === null) this.#putToken(0xc0);
    else if (typeof value === 'boolean') this.#putToken(value ? 0xc3 : 0xc2);
    else if (Array.isArray(value)) {
      this.#putLength(value.length, 16, 0x90, 0, 0xdc);
      for (const each of value) this.#put(each);
    } else if (value instanceof Uint8Array) {
      this.#putLength(value.length, 0, 0, 0xc4, 0xc5);
      const start = this.#grow(value.length);
      this.#bytes.set(value, start);
    } else throw new TypeError(`a ${typeof value} has no place in a message`);
  }

  #putNumber(value: number): void {
    if (!Number.isInteger(value) || value >= TWO_32 || value < -0x8000_0000) {
      this.#putToken(0xcb);
      const start = this.#grow(8);
      this.#view.setFloat64(start, value);
    } else if (value >= -0x20 && value < 0x80) this.#putToken(value & 0xff);
    else if (value >= -0x80 && value < 0x100) {
      this.#putToken(value < 0 ? 0xd0 : 0xcc);
      this.#putToken(value & 0xff);
    } else if (value >= -0x8000 && value < 0x1_0000) {
      this.#putToken(value < 0 ? 0xd1 : 0xcd);
      this.#putInt16(value);
    } else {
      this.#putToken(value < 0 ? 0xd2 : 0xce);
      this.#putInt32(value);
    }
  }

  #putString(value: string): void {
    const length = utf8Bytes(value);
    this.#putLength(length, 32, 0xa0, 0xd9, 0xda);
    const start = this.#grow(length);
    writeUtf8(this.#bytes, start, value);
  }

  /** In the token itself below `smallMax`; else behind `token8` (0: there is none), `token16` or the one after that. */
  #putLength(length: number, smallMax: number, small: number, token8: number, token16: number): void {
    if (length < smallMax) this.#putToken(small | length);
    else if (length < 0x100 && token8 > 0) {
      this.#putToken(token8);
      this.#putToken(length);
    } else if (length < 0x1_0000) {
      this.#putToken(token16);
      this.#putInt16(length);
    } else {
      this.#putToken(token16 + 1);
      this.#putInt32(length);
    }
  }

  #putToken(token: number): void {
    const start = this.#grow(1);
    this.#bytes[start] = token;
  }

  #putInt16(value: number): void {
    const start = this.#grow(2);
    writeInt16(this.#bytes, start, value);
  }

  #putInt32(value: number): void {
    const start = this.#grow(4);
    writeInt32(this.#bytes, start, value);
  }

  /** Makes room for so many bytes; returns where they begin. It may replace the buffer, so it has to come first. */
  #grow(count: number): number {
    const start = this.#end;
    this.#end += count;
    if (this.#end > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#end);
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return start;
  }
}

/** Unpacks what `skimMsgpack` has let pass: so no length reaches beyond the end, and nothing is of another type. */
export class Unpackr {
  #bytes: Uint8Array = new Uint8Array(0);
  #position = 0;

  unpack(bytes: Uint8Array): unknown {
    this.#bytes = bytes;
    this.#position = 0;
    const value = this.#take();
    this.#bytes = new Uint8Array(0);
    return value;
  }

  #take(): unknown {
    const token = this.#bytes[this.#skip(1)] as number;
    if (token < 0x80) return token;
    if (token >= 0xe0) return token - 0x100;
    if (token < 0xa0) return this.#takeArray(token & 0x0f);
    if (token < 0xc0) return this.#takeString(token & 0x1f);
    switch (token) {
      case 0xc0:
        return null;
      case 0xc2:
      case 0xc3:
        return token === 0xc3;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#takeBytes(this.#takeLength(token - 0xc4)).slice();
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#takeString(this.#takeLength(token - 0xd9));
      case 0xdc:
      case 0xdd:
        return this.#takeArray(this.#takeLength(token - 0xdb));
      default:
        return this.#takeNumber(token);
    }
  }

  #takeNumber(token: number): number {
    const bytes = this.#bytes;
    switch (token) {
      case 0xca:
        return new DataView(bytes.buffer, bytes.byteOffset).getFloat32(this.#skip(4));
      case 0xcb:
        return new DataView(bytes.buffer, bytes.byteOffset).getFloat64(this.#skip(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#takeLength(token - 0xcc);
      case 0xcf:
        return this.#takeLength(2) * TWO_32 + this.#takeLength(2);
      case 0xd0:
        return readInt8(bytes, this.#skip(1));
      case 0xd1:
        return readInt16(bytes, this.#skip(2));
      case 0xd2:
        return readInt32(bytes, this.#skip(4));
      case 0xd3:
        return readInt64(bytes, this.#skip(8));
      default:
        throw new TypeError(`0x${token.toString(16)} has no place in a message`);
    }
  }

  /** An unsigned integer of 1, 2 or 4 bytes: two to the power of `log2`. */
  #takeLength(log2: number): number {
    const at = this.#skip(1 << log2);
    if (log2 === 0) return this.#bytes[at] as number;
    return log2 === 1 ? readInt16(this.#bytes, at) & 0xffff : readUint32(this.#bytes, at);
  }

  #takeArray(length: number): unknown[] {
    const array: unknown[] = [];
    for (let i = 0; i < length; i++) array.push(this.#take());
    return array;
  }

  #takeString(length: number): string {
    return readUtf8(this.#takeBytes(length));
  }

  #takeBytes(length: number): Uint8Array {
    const start = this.#skip(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Goes on by so many bytes; returns where they begin. */
  #skip(count: number): number {
    const start = this.#position;
    this.#position += count;
    return start;
  }
}
