/** Records out of JSON lines of the shape that `consume --format json` prints, so that they can be sent again. */

import { asBuffer, bytesFromJson } from '../record-json.ts';
import type { InputHeader, LineParser } from './line-parser.ts';

/** Topic and offset of a row are what it had where it came from, and are ignored; so is the partition, unless kept. */
export function jsonRecord(keepPartitions: boolean): LineParser {
  return (line, number) => {
    const where = `line ${number}`;
    const row = rowOf(line, where);
    if (!Object.hasOwn(row, 'value')) throw new Error(`${where} has no "value" (null is a tombstone)`);
    const headers = headersOf(row.headers, where);
    const timestamp = count(row.timestamp, `${where}: "timestamp"`);
    const partition = keepPartitions ? count(row.partition, `${where}: "partition"`) : undefined;
    return {
      key: bytesFromJson(row.key, `${where}: "key"`),
      value: bytesFromJson(row.value, `${where}: "value"`),
      ...(headers.length > 0 && { headers }),
      ...(timestamp !== undefined && { timestamp }),
      ...(partition !== undefined && { partition }),
    };
  };
}

function rowOf(line: Uint8Array, where: string): Record<string, unknown> {
  let row: unknown;
  try {
    row = JSON.parse(asBuffer(line).toString('utf8'));
  } catch (error) {
    throw new Error(`${where} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof row === 'object' && row !== null && !Array.isArray(row)) return row as Record<string, unknown>;
  throw new Error(`${where} is no JSON object`);
}

/** A list of `{key, value}`, or by hand an object of names and values. */
function headersOf(headers: unknown, where: string): InputHeader[] {
  if (headers === undefined || headers === null) return [];
  if (typeof headers !== 'object') throw new Error(`${where}: "headers" is neither a list nor an object`);
  const list: readonly unknown[] = Array.isArray(headers)
    ? headers
    : Object.entries(headers).map(([key, value]) => ({ key, value }));
  return list.map((header) => {
    const { key, value } = (header ?? {}) as { readonly key?: unknown; readonly value?: unknown };
    if (typeof key !== 'string') throw new Error(`${where}: a header has no "key"`);
    return { key, value: bytesFromJson(value, `${where}: header ${JSON.stringify(key)}`) };
  });
}

function count(value: unknown, what: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`${what} is no whole number from 0 on`);
}
