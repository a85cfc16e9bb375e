import type { BytesRecord } from './consume-records.ts';

export type RecordFormat = 'value' | 'json';

const NEWLINE = Buffer.from('\n');
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The rows of some records as one chunk of output, each with a line end: the values as they are, or JSON. */
export function rowsOf(records: readonly BytesRecord[], format: RecordFormat): Buffer {
  if (format === 'json') return Buffer.from(records.map((record) => `${jsonRow(record)}\n`).join(''));
  return Buffer.concat(records.flatMap(({ value }) => (value === null ? [NEWLINE] : [value, NEWLINE])));
}

function jsonRow({ topic, partition, offset, timestamp, key, value, headers }: BytesRecord): string {
  return JSON.stringify({
    topic,
    partition,
    offset,
    timestamp,
    key: textOf(key),
    value: textOf(value),
    headers: headers.map((header) => ({ key: header.key, value: textOf(header.value) })),
  });
}

/** Text where the bytes are UTF-8; otherwise `{"base64": ...}`, so that nothing is lost or guessed. */
function textOf(bytes: Uint8Array | null): string | { readonly base64: string } | null {
  if (bytes === null) return null;
  try {
    return utf8.decode(bytes);
  } catch {
    return { base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64') };
  }
}
