/**
 * Reads msgpack in one walk that trusts nothing: one value, whole, no deeper and no larger than allowed, no count beyond
 * the bytes that remain (it is checked before anything is allocated for it), and only the types that messages are made
 * of: no maps, no extensions.
 */

import { readInt8, readInt16, readInt32, readInt64, readUint32 } from './bytes.ts';
import { ProtocolError } from './protocol-error.ts';
import { readUtf8 } from './utf8.ts';

/** The deepest schema has some ten levels. */
export const DEPTH_MAX = 32;
/** All array elements of one message together: the unpacked form may take some 16 times the bytes of the packed one. */
export const ELEMENTS_MAX = 4_000_000;

const FIXED_ARRAY = 0x90;
const FIXED_STRING = 0xa0;
const NIL = 0xc0;
const NEGATIVE = 0xe0;

/** Reads what is exactly one value. Byte arrays in it are copies, which keep no larger buffer alive. @throws ProtocolError */
export function readMsgpack(bytes: Uint8Array): unknown {
  return new MsgpackReader(bytes).whole();
}

class MsgpackReader {
  readonly #bytes: Uint8Array;
  #position = 0;
  #depth = 0;
  #elements = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  whole(): unknown {
    const value = this.#value();
    const left = this.#bytes.length - this.#position;
    if (left > 0) throw new ProtocolError(`${left} bytes remain behind the message`);
    return value;
  }

  #value(): unknown {
    const at = this.#position;
    if (at >= this.#bytes.length) throw new ProtocolError('the message ends in the middle of an array');
    const token = this.#bytes[at] as number;
    this.#position = at + 1;
    if (token < 0x80) return token;
    if (token >= NEGATIVE) return token - 0x100;
    if (token >= NIL) return this.#long(token);
    if (token >= FIXED_STRING) return this.#string(token & 0x1f);
    if (token >= FIXED_ARRAY) return this.#array(token & 0x0f);
    throw notAllowed(token);
  }

  /** What its first byte gives no room to. */
  #long(token: number): unknown {
    const bytes = this.#bytes;
    switch (token) {
      case NIL:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.#copy(this.#length(1));
      case 0xc5:
        return this.#copy(this.#length(2));
      case 0xc6:
        return this.#copy(this.#length(4));
      case 0xca:
        return viewOf(bytes).getFloat32(this.#pass(4));
      case 0xcb:
        return viewOf(bytes).getFloat64(this.#pass(8));
      case 0xcc:
        return bytes[this.#pass(1)];
      case 0xcd:
        return readInt16(bytes, this.#pass(2)) & 0xffff;
      case 0xce:
        return readUint32(bytes, this.#pass(4));
      case 0xcf:
        return Number(viewOf(bytes).getBigUint64(this.#pass(8)));
      case 0xd0:
        return readInt8(bytes, this.#pass(1));
      case 0xd1:
        return readInt16(bytes, this.#pass(2));
      case 0xd2:
        return readInt32(bytes, this.#pass(4));
      case 0xd3:
        return readInt64(bytes, this.#pass(8));
      case 0xd9:
        return this.#string(this.#length(1));
      case 0xda:
        return this.#string(this.#length(2));
      case 0xdb:
        return this.#string(this.#length(4));
      case 0xdc:
        return this.#array(this.#length(2));
      case 0xdd:
        return this.#array(this.#length(4));
      default:
        throw notAllowed(token);
    }
  }

  /** Passes over as many bytes; returns where they begin. */
  #pass(count: number): number {
    const at = this.#position;
    if (count > this.#bytes.length - at) throw new ProtocolError('the message ends in the middle of a value');
    this.#position = at + count;
    return at;
  }

  #length(bytes: 1 | 2 | 4): number {
    const at = this.#pass(bytes);
    if (bytes === 1) return this.#bytes[at] as number;
    return bytes === 2 ? readInt16(this.#bytes, at) & 0xffff : readUint32(this.#bytes, at);
  }

  #copy(length: number): Uint8Array {
    const at = this.#pass(length);
    // The `slice` of Node's Buffer would not copy.
    const copy = new Uint8Array(length);
    copy.set(this.#bytes.subarray(at, at + length));
    return copy;
  }

  #string(length: number): string {
    const at = this.#pass(length);
    return readUtf8(this.#bytes, at, at + length);
  }

  #array(count: number): unknown[] {
    // Every element takes at least one byte, so a count beyond what remains is a lie.
    const left = this.#bytes.length - this.#position;
    if (count > left) throw new ProtocolError(`an array of ${count} where ${left} bytes remain`);
    this.#elements += count;
    if (this.#elements > ELEMENTS_MAX)
      throw new ProtocolError(`the message has more than ${ELEMENTS_MAX} elements`);
    this.#depth++;
    if (this.#depth > DEPTH_MAX) throw new ProtocolError(`arrays are nested deeper than ${DEPTH_MAX}`);
    const values: unknown[] = new Array(count);
    for (let i = 0; i < count; i++) values[i] = this.#value();
    this.#depth--;
    return values;
  }
}

/** For what is rare. */
function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function notAllowed(token: number): ProtocolError {
  return new ProtocolError(`msgpack type 0x${token.toString(16)} (a map or an extension) is not allowed`);
}
