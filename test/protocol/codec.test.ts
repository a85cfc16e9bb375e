import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { catalogue } from '../../src/protocol/catalogue.ts';
import {
  decodeRequestBody,
  decodeRequestHeader,
  decodeResponseBody,
  decodeResponseHeader,
  encodeRequest,
  encodeResponse,
} from '../../src/protocol/codec.ts';
import { packArrays } from '../../src/protocol/msgpack.ts';
import { readMsgpack } from '../../src/protocol/msgpack-reader.ts';
import { ProtocolError } from '../../src/protocol/protocol-error.ts';
import { RECORD_BATCH_HEADER_BYTES } from '../../src/protocol/record-batch.ts';
import {
  type AnyApi,
  api,
  array,
  bool,
  bytes,
  int8,
  int32,
  int64,
  records,
  string,
  struct,
  uuid,
} from '../../src/protocol/schema.ts';
import { anyValue, join } from './support/arbitrary.ts';
import { batchOf } from './support/records.ts';
import { decodeValue, encodeValue } from './support/value.ts';

/** The same bytes, cut into parts at arbitrary places: what a network may deliver. */
function recut(parts: readonly Uint8Array[], cuts: readonly number[]): Uint8Array[] {
  const whole = join(parts);
  const places = [...new Set([0, ...cuts.map((cut) => cut % (whole.length + 1)), whole.length])].sort(
    (a, b) => a - b,
  );
  return places.slice(1).map((end, i) => whole.subarray(places[i], end));
}

const apis: readonly (readonly [string, AnyApi])[] = [...catalogue.values()].map((each) => [each.name, each]);
const cuts = fc.array(fc.nat(), { maxLength: 5 });

describe.each(apis)('%s', (_name, each) => {
  test('a request is read back from any parts', () => {
    fc.assert(
      fc.property(
        anyValue(each.request),
        fc.option(fc.string({ maxLength: 20 })),
        cuts,
        (body, clientId, at) => {
          const frame = decodeRequestHeader(recut(encodeRequest(each, 0, 7, clientId, body), at));
          expect(frame).toMatchObject({ apiKey: each.key, apiVersion: 0, correlationId: 7, clientId });
          expect(decodeRequestBody(each, frame)).toEqual(body);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('a response is read back from any parts', () => {
    fc.assert(
      fc.property(anyValue(each.response), cuts, (body, at) => {
        const frame = decodeResponseHeader(recut(encodeResponse(each, -1, body), at));
        expect(frame.correlationId).toBe(-1);
        expect(decodeResponseBody(each, frame)).toEqual(body);
      }),
      { numRuns: 30 },
    );
  });
});

test.each(apis)('every field of %s has a default that its schema allows', (_name, each) => {
  const request = decodeRequestBody(each, decodeRequestHeader(message([each.key, 0, 1, null], [])));
  const response = decodeResponseBody(each, decodeResponseHeader(message([1], [])));
  expect(decodeRequestBody(each, decodeRequestHeader(encodeRequest(each, 0, 1, null, request)))).toEqual(
    request,
  );
  expect(decodeResponseBody(each, decodeResponseHeader(encodeResponse(each, 1, response)))).toEqual(response);
});

const Sample = api({
  key: 12345,
  name: 'Sample',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    small: int8(),
    name: string(6),
    blob: bytes(4),
    list: array(int32(), 3),
    maybe: string().nullable(),
    sets: array(struct({ id: uuid(), records: records() })),
  }),
  response: struct({ flag: bool() }),
});
const ID = 'abcdefghijklmnopqrstug';
const sample = { small: 1, name: 'x', blob: new Uint8Array(2), list: [1], maybe: null, sets: [] };
const reread = (parts: readonly Uint8Array[]) => decodeRequestBody(Sample, decodeRequestHeader(parts));
const encode = (change: object) => encodeRequest(Sample, 0, 1, null, { ...sample, ...change });
/** A message whose head is this tree, whatever any schema says. */
const message = (...tree: unknown[]): Uint8Array[] => {
  const head = packArrays(tree);
  return [Uint8Array.of(0, 0, head.length >> 8, head.length), head];
};

test('record batches are neither copied on the way out nor, when they lie in one part, on the way in', () => {
  const first = Uint8Array.of(1, 2, 3);
  const second = Uint8Array.of(4);
  const sets = [
    { id: ID, records: [first, second] },
    { id: ID, records: [] },
    { id: ID, records: [first] },
  ];
  const parts = encode({ sets });
  expect(parts.slice(1)).toEqual([first, second, first]);
  expect(parts[1]).toBe(first);
  const body = reread(parts);
  expect(body.sets).toEqual(sets);
  expect(body.sets[0]?.records[0]?.buffer).toBe(first.buffer);
});

test("a part that is Node's Buffer comes out as a plain Uint8Array", () => {
  const parts = encode({ sets: [{ id: ID, records: [Uint8Array.of(9)] }] }).map((part) => Buffer.from(part));
  const run = reread(parts).sets[0]?.records[0];
  expect(run?.constructor).toBe(Uint8Array);
  expect(reread(parts).blob.constructor).toBe(Uint8Array);
});

test('unknown trailing fields are skipped, missing ones take their defaults', () => {
  const Old = struct({ a: int32(), inner: struct({ x: int32() }) });
  const New = struct({
    a: int32(),
    inner: struct({ x: int32(), y: int32().default(-1) }),
    text: string(),
    list: array(int32()),
    blob: bytes(),
    id: uuid(),
    maybe: int32().nullable(),
    flag: bool(),
    nested: struct({ epoch: int32().default(-1), at: int64() }),
  });
  const old = { a: 1, inner: { x: 2 } };
  const added = {
    a: 1,
    inner: { x: 2, y: -1 },
    text: '',
    list: [],
    blob: new Uint8Array(0),
    id: 'AAAAAAAAAAAAAAAAAAAAAA',
    maybe: null,
    flag: false,
    nested: { epoch: -1, at: 0 },
  };
  expect(decodeValue(New, 'New', encodeValue(Old, 'Old', old))).toEqual(added);
  expect(decodeValue(Old, 'Old', encodeValue(New, 'New', added))).toEqual(old);
});

test.each([
  [
    'small beyond its range',
    { small: 128 },
    'Sample request.small must be an integer from -128 to 127, not 128',
  ],
  ['small not whole', { small: 0.5 }, 'not 0.5'],
  ['small missing', { small: undefined }, 'not undefined'],
  ['name of another type', { name: 5 }, 'Sample request.name must be a string of at most 6 bytes, not 5'],
  ['name too long in bytes', { name: 'ääää' }, 'at most 6 bytes'],
  ['blob too long', { blob: new Uint8Array(5) }, 'at most 4 bytes, not 5 bytes'],
  ['list too long', { list: [1, 2, 3, 4] }, 'Sample request.list has 4 elements, above 3'],
  ['null where it may not be', { list: null }, 'an array, not null'],
  ['an element of another type', { list: ['x'] }, 'Sample request.list[] must be an integer'],
  [
    'not a uuid',
    { sets: [{ id: `${ID.slice(0, 21)}x`, records: [] }] },
    'Sample request.sets[].id must be a uuid',
  ],
  [
    'not records',
    { sets: [{ id: ID, records: ['x'] }] },
    'Sample request.sets[].records must be runs of bytes',
  ],
])('%s is refused both ways', (_case, change, reason) => {
  expect(() => encode(change)).toThrow(ProtocolError);
  expect(() => encode(change)).toThrow(reason);
  const { small, name, blob, list, maybe, sets } = { ...sample, ...change };
  const wireSets = sets.map((set) => [set.id, set.records]);
  const parts = message([12345, 0, 1, null], [small ?? null, name, blob, list, maybe, wireSets]);
  expect(() => reread(parts)).toThrow(ProtocolError);
});

test.each([
  ['no bytes', []],
  ['a cut prefix', [Uint8Array.of(0, 0)]],
  ['a head longer than the message', [Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x90)]],
  ['a head that is no pair', message([1, 0, 1, null])],
  ['a header of the wrong type', message('x', [])],
  ['a correlation id beyond 32 bits', message([1, 0, 2 ** 31, null], [])],
])('a message with %s is refused', (_case, parts) => {
  expect(() => decodeRequestHeader(parts)).toThrow(ProtocolError);
});

test.each([
  ['negative', [-1]],
  ['zero', [0]],
  ['fractional', [1.5]],
  ['beyond the message', [5]],
  ['beyond anything', [2 ** 52]],
  ['not a list', 3],
])('a record length that is %s is refused', (_case, lengths) => {
  const body = [1, 'x', new Uint8Array(0), [], null, [[ID, lengths]]];
  const parts = [...message([12345, 0, 1, null], body), Uint8Array.of(1, 2, 3)];
  expect(() => reread(parts)).toThrow(ProtocolError);
});

test('no bit flips unnoticed on the way, except in records, which the checksums of batches cover', () => {
  const batch = batchOf([{ timestamp: 1, key: null, value: new Uint8Array(30) }]);
  const parts = encode({ sets: [{ id: ID, records: [batch, batch] }] });
  const whole = join(parts);
  const head = whole.length - 2 * batch.length;
  for (let bit = 1; bit < whole.length * 8; bit++) {
    const at = bit >>> 3;
    const isInRecords = at >= head && (at - head) % batch.length >= RECORD_BATCH_HEADER_BYTES;
    if (isInRecords) continue;
    const flipped = whole.slice();
    flipped[at] = (flipped[at] as number) ^ (0x80 >>> (bit & 7));
    expect(() => decodeRequestHeader([flipped]), `bit ${bit}`).toThrow(ProtocolError);
  }
});

test('a message for a peer of catalogue version 2 has no checksum', () => {
  const [head = new Uint8Array(0)] = encodeRequest(Sample, 0, 1, null, sample, 2);
  expect(head[0]).toBe(0);
  expect(reread([head])).toMatchObject({ name: 'x' });
});

test('bytes behind the last records are refused', () => {
  expect(() => reread([...encode({}), Uint8Array.of(0)])).toThrow('damaged');
});

test('integers beyond 32 bits and of any msgpack width are read', () => {
  const int64s = array(int64());
  const values = [2 ** 53 - 1, -(2 ** 53 - 1), 2 ** 32, -(2 ** 32), 0, -1];
  expect(decodeValue(int64s, 'int64s', encodeValue(int64s, 'int64s', values))).toEqual(values);
  // uint64 5 and int64 -2: not what we write, but what another implementation of msgpack may.
  const wide = Uint8Array.of(
    0x92,
    0xcf,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    5,
    0xd3,
    255,
    255,
    255,
    255,
    255,
    255,
    255,
    254,
  );
  expect(decodeValue(int64s, 'int64s', wide)).toEqual([5, -2]);
  const beyond = Uint8Array.of(0x91, 0xcf, 0xff, 0, 0, 0, 0, 0, 0, 0);
  expect(() => decodeValue(int64s, 'int64s', beyond)).toThrow(ProtocolError);
});

test('what is packed and unpacked keeps no larger buffer alive', () => {
  const big = packArrays(['x'.repeat(4 * 1024 * 1024)]);
  expect(packArrays([1]).buffer.byteLength).toBe(2);
  const blob = readMsgpack(packArrays([Uint8Array.of(1, 2), big])) as Uint8Array[];
  expect(blob[0]?.buffer.byteLength).toBe(2);
});
