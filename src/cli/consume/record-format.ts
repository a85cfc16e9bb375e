import { recordContent } from '../record-json.ts';
import { UsageError } from '../run.ts';
import type { BytesRecord } from './consume-records.ts';
import { formatString } from './format-string.ts';

/** The rows of some records as one chunk of output. */
export type RecordFormatter = (records: readonly BytesRecord[]) => Buffer;

const NEWLINE = Buffer.from('\n');

/** `value`, `json`, or a format string. @throws UsageError */
export function parseFormat(format: string): RecordFormatter {
  if (format === 'value') return valueRows;
  if (format === 'json') return jsonRows;
  if (format.includes('%')) return formatString(format);
  throw new UsageError(
    `--format is value, json or a format string with tokens, such as '%k %v\\n', not "${format}"`,
  );
}

/** The values as they are, each with a line end; a tombstone is an empty line. */
function valueRows(records: readonly BytesRecord[]): Buffer {
  return Buffer.concat(records.flatMap(({ value }) => (value === null ? [NEWLINE] : [value, NEWLINE])));
}

/** A JSON object a line, with all there is: what `produce --input json` takes. */
function jsonRows(records: readonly BytesRecord[]): Buffer {
  return Buffer.from(records.map((record) => `${jsonRow(record)}\n`).join(''));
}

function jsonRow(record: BytesRecord): string {
  const { topic, partition, offset, timestamp } = record;
  return JSON.stringify({ topic, partition, offset, timestamp, ...recordContent(record) });
}
