/** Format strings in the manner of kcat: `%t %p %o %k %v\n`. */

import { unescaped } from '../escapes.ts';
import { UsageError } from '../run.ts';
import type { BytesRecord } from './consume-records.ts';

type Piece = Uint8Array | ((record: BytesRecord) => Uint8Array | string);

const NOTHING = new Uint8Array(0);

/** What each token prints. A key, a value or a header's value that is null prints nothing, and has the length -1. */
const TOKENS: ReadonlyMap<string, Piece> = new Map<string, Piece>([
  ['t', ({ topic }) => topic],
  ['p', ({ partition }) => String(partition)],
  ['o', ({ offset }) => String(offset)],
  ['k', ({ key }) => key ?? NOTHING],
  ['v', ({ value }) => value ?? NOTHING],
  ['s', ({ value }) => value ?? NOTHING],
  ['h', (record) => headersText(record)],
  ['T', ({ timestamp }) => String(timestamp)],
  ['K', ({ key }) => String(key?.length ?? -1)],
  ['S', ({ value }) => String(value?.length ?? -1)],
  ['%', Buffer.from('%')],
]);

const KNOWN =
  '%t topic, %p partition, %o offset, %k key, %v (or %s) value, %h headers, %T timestamp, %K and %S length of key ' +
  'and value, %% a percent sign';

/** Prints records by a format string; nothing is added between them. @throws UsageError naming what is unknown */
export function formatString(format: string): (records: readonly BytesRecord[]) => Buffer {
  const pieces = Array.from(format.matchAll(/%(.?)|[^%]+/gsu), ([piece, token]): Piece => {
    if (token === undefined) return unescaped(piece, '--format');
    const known = TOKENS.get(token);
    if (known === undefined) throw new UsageError(`--format: there is no ${piece}; there are ${KNOWN}`);
    return known;
  });
  return (records) =>
    Buffer.concat(
      records.flatMap((record) =>
        pieces.map((piece) => {
          const part = typeof piece === 'function' ? piece(record) : piece;
          return typeof part === 'string' ? Buffer.from(part) : part;
        }),
      ),
    );
}

/** `name=value,name=value`: what `produce --header-separator` reads. */
export function headersText({ headers }: Pick<BytesRecord, 'headers'>): string {
  return headers
    .map(({ key, value }) => (value === null ? key : `${key}=${Buffer.from(value).toString()}`))
    .join(',');
}
