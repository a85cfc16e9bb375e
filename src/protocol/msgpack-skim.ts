/**
 * Walks over msgpack bytes before anything is allocated for them: one value, whole, no deeper and no larger than
 * allowed, no count beyond the bytes that remain, and only the types that messages are made of (no maps, no
 * extensions). What passes is safe to hand to a general unpacker.
 */

import { ProtocolError } from './protocol-error.ts';

/** The deepest schema has some ten levels. */
export const DEPTH_MAX = 32;
/** All array elements of one message together: the unpacked form may take some 16 times the bytes of the packed one. */
export const ELEMENTS_MAX = 4_000_000;

/** Throws a `ProtocolError` unless `bytes` is exactly one acceptable value. */
export function skimMsgpack(bytes: Uint8Array): void {
  const end = bytes.length;
  /** The elements still to come at each level of the arrays that are open. */
  const pending: number[] = [];
  let elements = 0;
  let position = 0;
  let open = 1;
  while (true) {
    while (open === 0) {
      const outer = pending.pop();
      if (outer === undefined) {
        if (position !== end) throw new ProtocolError(`${end - position} bytes remain behind the message`);
        return;
      }
      open = outer;
    }
    if (position >= end) throw new ProtocolError('the message ends in the middle of an array');
    open--;
    const token = bytes[position] as number;
    const sizeBytes = sizeAt(bytes, position, token);
    // Every element takes at least one byte, so a count beyond what remains is a lie.
    position += sizeBytes;
    if (position > end) throw new ProtocolError('the message ends in the middle of a value');
    if (!isArray(token)) continue;
    const count = arrayCount(bytes, position - sizeBytes, token);
    elements += count;
    if (count > end - position)
      throw new ProtocolError(`an array of ${count} where ${end - position} bytes remain`);
    if (elements > ELEMENTS_MAX)
      throw new ProtocolError(`the message has more than ${ELEMENTS_MAX} elements`);
    if (pending.length >= DEPTH_MAX) throw new ProtocolError(`arrays are nested deeper than ${DEPTH_MAX}`);
    pending.push(open);
    open = count;
  }
}

function isArray(token: number): boolean {
  return (token & 0xf0) === 0x90 || token === 0xdc || token === 0xdd;
}

function arrayCount(bytes: Uint8Array, position: number, token: number): number {
  if (token === 0xdc) return readLength(bytes, position + 1, 2);
  if (token === 0xdd) return readLength(bytes, position + 1, 4);
  return token & 0x0f;
}

/** The bytes of the value at `position`; of an array, those before its elements. May reach beyond the end. */
function sizeAt(bytes: Uint8Array, position: number, token: number): number {
  if (token < 0x80 || token >= 0xe0) return 1; // Small integers.
  if (token >= 0x90 && token < 0xa0) return 1;
  if (token >= 0xa0 && token < 0xc0) return 1 + (token & 0x1f);
  switch (token) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return 1;
    case 0xc4: // bin
    case 0xd9: // str
      return 2 + readLength(bytes, position + 1, 1);
    case 0xc5:
    case 0xda:
      return 3 + readLength(bytes, position + 1, 2);
    case 0xc6:
    case 0xdb:
      return 5 + readLength(bytes, position + 1, 4);
    case 0xcc: // uint 8
    case 0xd0: // int 8
      return 2;
    case 0xcd:
    case 0xd1:
    case 0xdc: // array 16
      return 3;
    case 0xca: // float 32
    case 0xce:
    case 0xd2:
    case 0xdd: // array 32
      return 5;
    case 0xcb: // float 64
    case 0xcf:
    case 0xd3:
      return 9;
    default:
      throw new ProtocolError(`msgpack type 0x${token.toString(16)} (a map or an extension) is not allowed`);
  }
}

/** A big-endian length; where it is cut off, 0 stands in for the missing bytes, and the caller finds the end passed. */
function readLength(bytes: Uint8Array, position: number, count: number): number {
  let value = 0;
  for (let i = position; i < position + count; i++) value = value * 256 + (bytes[i] ?? 0);
  return value;
}
