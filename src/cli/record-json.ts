/** Records as JSON: bytes as text where they are text, and nothing lost or guessed where they are not. */

import type { RecordData } from '../protocol/record-decoder.ts';
import { UsageError } from './run.ts';

/** How the bytes of keys and values are shown. */
export const BYTES_FORMATS = ['text', 'json', 'hex', 'base64'] as const;
export type BytesFormat = (typeof BYTES_FORMATS)[number];

export type BytesJson = string | { readonly base64: string } | { readonly hex: string } | null;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of bytes that are UTF-8; undefined of others. */
function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Text where the bytes are UTF-8, otherwise `{"base64": ...}`; always that with `base64`. */
export function bytesAsJson(bytes: Uint8Array | null, format: BytesFormat = 'text'): unknown {
  if (bytes === null) return null;
  const text = format === 'hex' || format === 'base64' ? undefined : utf8Text(bytes);
  if (format === 'json' && text !== undefined) return parsedOr(text);
  if (text !== undefined) return text;
  return format === 'hex' ? { hex: asBuffer(bytes).toString('hex') } : { base64: base64Of(bytes) };
}

/** What a record's headers, key and value look like in a row; the same in `consume` and in `log dump`. */
export function recordContent(
  { key, value, headers }: Pick<RecordData, 'key' | 'value' | 'headers'>,
  formats: { readonly key: BytesFormat; readonly value: BytesFormat } = { key: 'text', value: 'text' },
): { readonly key: unknown; readonly value: unknown; readonly headers: readonly object[] } {
  return {
    key: bytesAsJson(key, formats.key),
    value: bytesAsJson(value, formats.value),
    headers: headers.map((header) => ({ key: header.key, value: bytesAsJson(header.value) })),
  };
}

/** The bytes that `bytesAsJson` shows: a text, null, `{"base64": ...}` or `{"hex": ...}`. @throws Error naming `what` */
export function bytesFromJson(value: unknown, what: string): Uint8Array | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return Buffer.from(value);
  if (typeof value === 'object') {
    const { base64, hex } = value as { readonly base64?: unknown; readonly hex?: unknown };
    if (typeof base64 === 'string' && isBase64(base64)) return Buffer.from(base64, 'base64');
    if (typeof hex === 'string' && /^([0-9a-f]{2})*$/i.test(hex)) return Buffer.from(hex, 'hex');
  }
  throw new Error(`${what} is neither a text nor null nor {"base64": "..."} nor {"hex": "..."}`);
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** For yargs' `coerce` of an option that names a format of bytes. */
export function bytesFormat(name: string): (value: unknown) => BytesFormat {
  return (value) => {
    const found = BYTES_FORMATS.find((format) => format === value);
    if (found) return found;
    throw new UsageError(`${name} is one of ${BYTES_FORMATS.join(', ')}, not "${String(value)}"`);
  };
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function base64Of(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('base64');
}

function isBase64(text: string): boolean {
  return /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0;
}
