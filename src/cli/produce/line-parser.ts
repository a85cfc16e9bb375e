/** How pieces of the input become records. */

import { unescaped } from '../escapes.ts';
import { asBuffer } from '../record-json.ts';
import { UsageError } from '../run.ts';
import { jsonRecord } from './json-input.ts';

export interface InputHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** What a line (or another piece) of the input becomes. */
export interface LineRecord {
  readonly key: Uint8Array | string | null;
  readonly value: Uint8Array | null;
  readonly headers?: readonly InputHeader[];
  /** Milliseconds since the epoch. */
  readonly timestamp?: number;
  readonly partition?: number;
}

export type LineParser = (line: Uint8Array, number: number) => LineRecord;

/** How keys and values are written in lines: as they are, or as digits that stand for bytes. */
export const ENCODINGS = ['text', 'base64', 'hex'] as const;
type Encoding = (typeof ENCODINGS)[number];

export interface ParserOptions {
  /** `lines`, `json` (what `consume --format json` prints) or `whole` (all of the input is one value). */
  readonly input?: string | undefined;
  readonly keySeparator?: string | undefined;
  readonly keyField?: string | undefined;
  readonly headerSeparator?: string | undefined;
  readonly encoding?: Encoding | undefined;
  /** Headers, `name=value`, that every record gets. */
  readonly header?: readonly string[] | undefined;
  readonly keepPartitions?: boolean | undefined;
}

/** The parser that the options ask for. @throws UsageError when they contradict each other */
export function lineParser(options: ParserOptions): LineParser {
  checkOptions(options);
  const parse = options.input === 'json' ? jsonRecord(options.keepPartitions ?? false) : lineRecord(options);
  const fixed = (options.header ?? []).map((text) => headerOf(text));
  if (fixed.length === 0) return parse;
  return (line, number) => {
    const record = parse(line, number);
    return { ...record, headers: [...(record.headers ?? []), ...fixed] };
  };
}

function checkOptions(options: ParserOptions): void {
  const { input = 'lines', keySeparator, keyField, headerSeparator, encoding = 'text' } = options;
  if (keySeparator !== undefined && keyField !== undefined)
    throw new UsageError('--key-separator and --key-field exclude each other');
  for (const [name, value] of Object.entries({ keySeparator, keyField, headerSeparator })) {
    const option = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (value === '') throw new UsageError(`${option} is empty`);
    if (value !== undefined && input !== 'lines')
      throw new UsageError(`${option} is for lines, and --input ${input} has none`);
  }
  if (encoding !== 'text' && (keyField !== undefined || input === 'json'))
    throw new UsageError('--encoding is for keys and values of lines, not for JSON');
  if (options.keepPartitions && input !== 'json')
    throw new UsageError('--keep-partitions needs --input json, which names them');
}

function lineRecord({
  keySeparator,
  keyField,
  headerSeparator,
  encoding = 'text',
}: ParserOptions): LineParser {
  const headersAt = headerSeparator === undefined ? undefined : separator(headerSeparator, 'header');
  const keyAt = keySeparator === undefined ? undefined : separator(keySeparator, 'key');
  return (line, number) => {
    const [headerText, rest] = headersAt ? headersAt(line, number) : [undefined, line];
    const headers = headerText && { headers: headersOf(asBuffer(headerText).toString()) };
    if (keyField !== undefined) return { key: keyOf(rest, keyField, number), value: rest, ...headers };
    const [key, value] = keyAt ? keyAt(rest, number) : [null, rest];
    const decoded = (bytes: Uint8Array) => decode(bytes, encoding, number);
    return { key: key && decoded(key), value: decoded(value), ...headers };
  };
}

/** Cuts a line at the first separator. */
function separator(text: string, what: string) {
  const bytes = unescaped(text, `--${what}-separator`);
  return (line: Uint8Array, number: number): [Uint8Array, Uint8Array] => {
    const at = asBuffer(line).indexOf(bytes);
    if (at < 0) throw new Error(`line ${number} has no ${what} separator ${JSON.stringify(text)}`);
    return [line.subarray(0, at), line.subarray(at + bytes.length)];
  };
}

/** `name=value,name=value`, as `%h` prints them; a name alone has no value. */
function headersOf(text: string): InputHeader[] {
  return text === '' ? [] : text.split(',').map((each) => headerOf(each));
}

function headerOf(text: string): InputHeader {
  const at = text.indexOf('=');
  if (at < 0) return { key: text, value: null };
  return { key: text.slice(0, at), value: Buffer.from(text.slice(at + 1)) };
}

function decode(bytes: Uint8Array, encoding: Encoding, number: number): Uint8Array {
  if (encoding === 'text') return bytes;
  const text = asBuffer(bytes).toString('latin1');
  const isGood =
    encoding === 'hex'
      ? /^([0-9a-f]{2})*$/i.test(text)
      : /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2,3}=*)?$/.test(text);
  if (!isGood) throw new Error(`line ${number} is not ${encoding}: ${excerpt(text)}`);
  return Buffer.from(text, encoding);
}

function keyOf(line: Uint8Array, field: string, number: number): string {
  const key = fieldOf(asBuffer(line).toString('utf8'), field, number);
  return typeof key === 'string' ? key : JSON.stringify(key);
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
