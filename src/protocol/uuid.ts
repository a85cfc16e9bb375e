/**
 * Identifiers of 16 bytes (topic, directory, cluster, incarnation), written as Kafka writes them: base64url without
 * padding, 22 characters.
 */

const UUID_BYTES = 16;
const UUID_CHARS = 22;

/** Kafka's "no id": sixteen zero bytes. */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const VALUE_OF_CHAR = new Int8Array(128).fill(-1);
for (let value = 0; value < ALPHABET.length; value++) VALUE_OF_CHAR[ALPHABET.charCodeAt(value)] = value;

/** Writes 16 bytes as they are: the inverse of `uuidToBytes`. */
export function uuidFromBytes(bytes: Uint8Array): string {
  if (bytes.length !== UUID_BYTES)
    throw new RangeError(`a uuid has ${UUID_BYTES} bytes, not ${bytes.length}`);
  let text = '';
  let bits = 0;
  let bitCount = 0;
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xffff;
    bitCount += 8;
    while (bitCount >= 6) {
      bitCount -= 6;
      text += ALPHABET[(bits >>> bitCount) & 63];
    }
  }
  return text + ALPHABET[(bits << (6 - bitCount)) & 63];
}

/**
 * A fresh id from 16 random bytes: a version 4 uuid (RFC 9562). As Kafka does, an id whose text would begin with a
 * dash is avoided, because command lines take it for an option.
 */
export function uuidFrom(randomBytes: Uint8Array): string {
  const bytes = randomBytes.slice();
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const text = uuidFromBytes(bytes);
  if (!text.startsWith('-')) return text;
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return uuidFromBytes(bytes);
}

/** The 16 bytes of an id. Throws a `RangeError` when `uuid` is not one. */
export function uuidToBytes(uuid: string): Uint8Array {
  if (!isUuid(uuid)) throw new RangeError(`not a uuid: ${JSON.stringify(uuid.slice(0, 64))}`);
  const bytes = new Uint8Array(UUID_BYTES);
  let bits = 0;
  let bitCount = 0;
  let position = 0;
  for (let i = 0; i < UUID_CHARS; i++) {
    bits = ((bits << 6) | (VALUE_OF_CHAR[uuid.charCodeAt(i)] ?? 0)) & 0xffff;
    bitCount += 6;
    if (bitCount >= 8) {
      bitCount -= 8;
      bytes[position++] = (bits >>> bitCount) & 0xff;
    }
  }
  return bytes;
}

/** Whether `text` is the one canonical text of 16 bytes (its last character carries only two bits). */
export function isUuid(text: string): boolean {
  if (text.length !== UUID_CHARS) return false;
  for (let i = 0; i < UUID_CHARS; i++) {
    if ((VALUE_OF_CHAR[text.charCodeAt(i)] ?? -1) < 0) return false;
  }
  return ((VALUE_OF_CHAR[text.charCodeAt(UUID_CHARS - 1)] ?? 0) & 15) === 0;
}
