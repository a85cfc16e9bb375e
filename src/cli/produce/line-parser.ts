import { UsageError } from '../run.ts';

/** What a line of input becomes. */
interface LineRecord {
  readonly key: Uint8Array | string | null;
  readonly value: Uint8Array;
}

export type LineParser = (line: Uint8Array, number: number) => LineRecord;

/** How lines become records: the whole line as the value, a key before a separator, or a key out of a JSON field. */
export function lineParser(options: {
  keySeparator?: string | undefined;
  keyField?: string | undefined;
}): LineParser {
  const { keySeparator, keyField } = options;
  if (keySeparator !== undefined && keyField !== undefined) {
    throw new UsageError('--key-separator and --key-field exclude each other');
  }
  if (keySeparator === '') throw new UsageError('--key-separator is empty');
  if (keyField === '') throw new UsageError('--key-field is empty');
  if (keySeparator !== undefined) return bySeparator(keySeparator);
  if (keyField !== undefined) return byField(keyField);
  return (line) => ({ key: null, value: line });
}

function bySeparator(separator: string): LineParser {
  const bytes = Buffer.from(separator);
  return (line, number) => {
    const at = asBuffer(line).indexOf(bytes);
    if (at < 0) throw new Error(`line ${number} has no key separator ${JSON.stringify(separator)}`);
    return { key: line.subarray(0, at), value: line.subarray(at + bytes.length) };
  };
}

function byField(field: string): LineParser {
  return (line, number) => {
    const key = fieldOf(asBuffer(line).toString('utf8'), field, number);
    return { key: typeof key === 'string' ? key : JSON.stringify(key), value: line };
  };
}

function fieldOf(text: string, field: string, number: number): unknown {
  let row: unknown;
  try {
    row = JSON.parse(text);
  } catch {
    throw new Error(`line ${number} is not JSON, which --key-field needs: ${excerpt(text)}`);
  }
  if (typeof row !== 'object' || row === null || !Object.hasOwn(row, field)) {
    throw new Error(`line ${number} has no field ${JSON.stringify(field)}: ${excerpt(text)}`);
  }
  return (row as Record<string, unknown>)[field];
}

function excerpt(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 60)}...`;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
