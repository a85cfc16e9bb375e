/** Whatever a peer sends, decoding throws nothing but `ProtocolError`, and allocates by no bare count. */

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
import { DEPTH_MAX, ELEMENTS_MAX, readMsgpack } from '../../src/protocol/msgpack-reader.ts';
import { ProtocolError } from '../../src/protocol/protocol-error.ts';
import type { AnyApi } from '../../src/protocol/schema.ts';
import { anyValue, join } from './support/arbitrary.ts';
import { damage, damages, largestAllocation } from './support/fuzz.ts';

const apis: readonly (readonly [string, AnyApi])[] = [...catalogue.values()].map((each) => [each.name, each]);

/** Decodes; whatever is accepted must be something that we could have sent. */
function survive(bytes: Uint8Array, each: AnyApi): void {
  const largest = largestAllocation(() => {
    onlyProtocolErrors(() => {
      const body = decodeRequestBody(each, decodeRequestHeader([bytes]));
      encodeRequest(each, 0, 0, null, body);
    });
    onlyProtocolErrors(() => {
      const body = decodeResponseBody(each, decodeResponseHeader([bytes]));
      encodeResponse(each, 0, body);
    });
  });
  // Defaults of missing fields make what is encoded again larger than what came; a believed count would be millions.
  expect(largest).toBeLessThanOrEqual(Math.max(8192, 50 * bytes.length));
}

function onlyProtocolErrors(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError);
  }
}

/** A message with a true prefix around a head of any bytes. */
function framed(head: Uint8Array): Uint8Array {
  return join([Uint8Array.of(0, 0, head.length >> 8, head.length), head]);
}

const tree = fc.letrec((tie) => ({
  node: fc.oneof(
    { maxDepth: 5 },
    fc.oneof(fc.maxSafeInteger(), fc.nat(5), fc.double(), fc.string(), fc.boolean(), fc.constant(null)),
    fc.uint8Array({ maxLength: 5 }),
    fc.array(tie('node'), { maxLength: 6 }),
  ),
})).node;

describe.each(apis)('%s', (_name, each) => {
  test('damaged messages', () => {
    const request = anyValue(each.request).map((body) => join(encodeRequest(each, 0, 7, 'c', body)));
    const response = anyValue(each.response).map((body) => join(encodeResponse(each, 7, body)));
    fc.assert(
      fc.property(fc.oneof(request, response), damages, (bytes, harm) => {
        const damaged = damage(bytes, harm);
        survive(damaged, each);
        survive(framed(damaged.subarray(4)), each);
      }),
      { numRuns: 60 },
    );
  });

  test('messages cut off at any byte', () => {
    for (const body of fc.sample(anyValue(each.request), { numRuns: 3, seed: each.key })) {
      const bytes = join(encodeRequest(each, 0, 7, 'client', body));
      for (let length = 0; length < bytes.length; length += 1 + Math.floor(bytes.length / 200)) {
        const cut = bytes.subarray(0, length);
        expect(() => decodeRequestBody(each, decodeRequestHeader([cut]))).toThrow(ProtocolError);
      }
    }
  });

  test('well-formed heads of another shape', () => {
    fc.assert(
      fc.property(tree, (body) => {
        survive(framed(packArrays([[each.key, 0, 1, null], body])), each);
        survive(framed(packArrays(body)), each);
      }),
      { numRuns: 60 },
    );
  });
});

test('random bytes', () => {
  const [each] = catalogue.values();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      if (each) survive(bytes, each);
      if (each) survive(framed(bytes), each);
      onlyProtocolErrors(() => readMsgpack(bytes));
    }),
    { numRuns: 2000 },
  );
});

const nested = (depth: number): Uint8Array => new Uint8Array(depth + 1).fill(0x91, 0, depth);
const count32 = (token: number, count: number): Uint8Array =>
  Uint8Array.of(token, count >>> 24, count >>> 16, count >>> 8, count);

test.each([
  ['no bytes', new Uint8Array(0), 'ends in the middle'],
  ['an array of 2^32 - 1', count32(0xdd, 0xffffffff), 'an array of 4294967295 where 0 bytes remain'],
  ['an array of one more than there is', Uint8Array.of(0x93, 1, 2), 'an array of 3 where 2 bytes remain'],
  ['a string of 2^32 - 1 bytes', count32(0xdb, 0xffffffff), 'ends in the middle of a value'],
  ['2^32 - 1 bytes', count32(0xc6, 0xffffffff), 'ends in the middle of a value'],
  ['a cut off length', Uint8Array.of(0xdb, 0, 0), 'ends in the middle of a value'],
  ['a small map', Uint8Array.of(0x81, 1, 1), 'a map or an extension'],
  ['a map of 2^32 - 1', count32(0xdf, 0xffffffff), 'a map or an extension'],
  ['a definition of a record', Uint8Array.of(0xd4, 0x72, 0x40, 0x90), 'a map or an extension'],
  ['an extension', Uint8Array.of(0xc7, 1, 0x72, 0), 'a map or an extension'],
  ['a timestamp', Uint8Array.of(0xd6, 0xff, 0, 0, 0, 0), 'a map or an extension'],
  ['the reserved type', Uint8Array.of(0xc1), 'a map or an extension'],
  ['a second value', Uint8Array.of(1, 2), '1 bytes remain behind'],
  ['too deep an array', nested(DEPTH_MAX + 1), 'nested deeper'],
  ['an array of 100,000 levels', nested(100_000), 'nested deeper'],
  [
    'more elements than allowed',
    join([count32(0xdd, ELEMENTS_MAX + 1), new Uint8Array(ELEMENTS_MAX + 1)]),
    'more than 4000000 elements',
  ],
])('%s is refused before anything is allocated for it', (_case, bytes, reason) => {
  const allocated = largestAllocation(() => expect(() => readMsgpack(bytes)).toThrow(reason));
  expect(allocated).toBeLessThanOrEqual(bytes.length);
  expect(() => readMsgpack(bytes)).toThrow(ProtocolError);
});

test('the deepest array that is allowed is read', () => {
  expect(JSON.stringify(readMsgpack(nested(DEPTH_MAX)))).toBe(
    `${'['.repeat(DEPTH_MAX)}0${']'.repeat(DEPTH_MAX)}`,
  );
});

test('what looks like a reference to a record structure is a plain number', () => {
  expect(readMsgpack(Uint8Array.of(0x92, 0x40, 0x7f))).toEqual([0x40, 0x7f]);
});

test('the watch on allocations sees one', () => {
  expect(largestAllocation(() => new Uint8Array(123_456))).toBe(123_456);
  expect(largestAllocation(() => new Array(77))).toBe(77);
});
