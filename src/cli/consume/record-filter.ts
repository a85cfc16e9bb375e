import { UsageError } from '../run.ts';
import type { BytesRecord } from './consume-records.ts';
import { headersText } from './format-string.ts';

export const GREP_PLACES = ['key', 'value', 'headers'] as const;
export type GrepPlace = (typeof GREP_PLACES)[number];

/** Whether a record has `pattern`, a text or a `/regular expression/i`, in one of the places. @throws UsageError */
export function recordFilter(
  pattern: string,
  places: readonly GrepPlace[] = GREP_PLACES,
): (record: BytesRecord) => boolean {
  const isFound = finder(pattern);
  return (record) => places.some((place) => isFound(textAt(record, place)));
}

function finder(pattern: string): (text: string) => boolean {
  const [, source, flags] = /^\/(.+)\/([a-z]*)$/s.exec(pattern) ?? [];
  if (source === undefined) return (text) => text.includes(pattern);
  let regex: RegExp;
  try {
    regex = new RegExp(source, flags);
  } catch (error) {
    throw new UsageError(`--grep: ${error instanceof Error ? error.message : String(error)}`);
  }
  // With the flags g and y a regular expression remembers where it was.
  return (text) => {
    regex.lastIndex = 0;
    return regex.test(text);
  };
}

/** Headers as `name=value,name=value`. Bytes that are no UTF-8 are searched as far as they can be read. */
function textAt(record: BytesRecord, place: GrepPlace): string {
  if (place === 'headers') return headersText(record);
  const bytes = record[place];
  return bytes === null ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}
