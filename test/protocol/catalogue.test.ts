import { describe, expect, test } from 'vitest';
import { catalogue } from '../../src/protocol/catalogue.ts';
import { CATALOGUE_VERSION, OLDEST_CATALOGUE_VERSION } from '../../src/protocol/catalogue-version.ts';
import {
  decodeRequestBody,
  decodeRequestHeader,
  decodeResponseBody,
  decodeResponseHeader,
  encodeRequest,
  encodeResponse,
} from '../../src/protocol/codec.ts';
import { api, array, bytes, int32, type Schema, string, struct } from '../../src/protocol/schema.ts';

const Grown = api({
  key: 20_000,
  name: 'Grown',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    id: int32(),
    entries: array(struct({ payload: bytes(), mark: bytes().sinceCatalogue(3) })),
    hint: string().default('none').sinceCatalogue(3, { ignorable: true }),
    later: int32().sinceCatalogue(4),
  }),
  response: struct({ ok: int32(), more: array(int32()).sinceCatalogue(3) }),
});
const request = {
  id: 1,
  entries: [{ payload: Uint8Array.of(7), mark: Uint8Array.of(8) }],
  hint: 'x',
  later: 9,
};
const unmarked = { ...request, entries: [{ payload: Uint8Array.of(7), mark: new Uint8Array(0) }] };

const asRead = (body: typeof request, version: number) =>
  decodeRequestBody(Grown, decodeRequestHeader(encodeRequest(Grown, 0, 1, null, body, version)));

describe('what an older peer is sent', () => {
  test('lacks the newer fields, and the reader fills in what they were by default', () => {
    expect(asRead(request, 4)).toEqual(request);
    expect(asRead({ ...request, later: 0 }, 3)).toEqual({ ...request, later: 0 });
    expect(asRead({ ...unmarked, later: 0 }, 2)).toEqual({ ...unmarked, hint: 'none', later: 0 });
  });

  test('never loses what the older version cannot say, unless that may be ignored', () => {
    const refused = (name: string, since: number) => ({
      code: 'UNSUPPORTED_VERSION',
      message: expect.stringMatching(
        new RegExp(`no ${name.replace(/[[\].]/g, '\\$&')}; it takes version ${since}`),
      ),
    });
    expect(() => asRead(request, 3)).toThrow(expect.objectContaining(refused('Grown request.later', 4)));
    expect(() => asRead({ ...request, later: 0 }, 2)).toThrow(
      expect.objectContaining(refused('Grown request.entries[].mark', 3)),
    );
    expect(() => encodeResponse(Grown, 1, { ok: 1, more: [2] }, 2)).toThrow(
      expect.objectContaining(refused('Grown response.more', 3)),
    );
  });

  test('goes for responses too', () => {
    const [head = new Uint8Array(0)] = encodeResponse(Grown, 1, { ok: 1, more: [] }, 2);
    const [longer = new Uint8Array(0)] = encodeResponse(Grown, 1, { ok: 1, more: [] }, 3);
    expect(head.length).toBeLessThan(longer.length);
    expect(decodeResponseBody(Grown, decodeResponseHeader([head]))).toEqual({ ok: 1, more: [] });
  });
});

describe('every declaration', () => {
  const shapes = [...catalogue.values()].flatMap(({ name, request: asked, response }) => [
    [`${name} request`, asked] as const,
    [`${name} response`, response] as const,
  ]);

  test.each(shapes)('%s has its newer fields last, of a version that there is', (_name, schema) => {
    for (const fields of structsIn(schema)) {
      const versions = fields.map((field) => field.marks.catalogue);
      expect(versions).toEqual([...versions].sort((a, b) => a - b));
      for (const version of versions) expect(version).toBeLessThanOrEqual(CATALOGUE_VERSION);
    }
  });

  test('an API came with a version that there is; those of the oldest say nothing of it', () => {
    for (const { since } of catalogue.values()) {
      expect(since === 0 || since > OLDEST_CATALOGUE_VERSION).toBe(true);
      expect(since).toBeLessThanOrEqual(CATALOGUE_VERSION);
    }
  });
});

function structsIn({ shape }: Schema<unknown>): Schema<unknown>[][] {
  if (shape.kind === 'array') return structsIn(shape.element);
  if (shape.kind !== 'struct') return [];
  const fields = shape.fields.map(([, field]) => field);
  return [fields, ...fields.flatMap(structsIn)];
}
