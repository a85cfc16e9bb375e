/** Every version of every API against kafka-clients: the bytes of both, read and written; see `howMade` in the fixture. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { catalogue } from '../../src/protocol/catalogue.ts';
import {
  decodeKafkaRequestBody,
  decodeKafkaRequestHeader,
  decodeKafkaResponse,
  encodeKafkaRequest,
  encodeKafkaResponse,
} from '../../src/protocol/kafka-codec.ts';
import { ProtocolError } from '../../src/protocol/protocol-error.ts';
import type { AnyApi } from '../../src/protocol/schema.ts';
import { join } from './support/arbitrary.ts';
import { damage, damages, largestAllocation } from './support/fuzz.ts';
import { fromBase64, type GoldenMessage, goldenValue, readGolden } from './support/kafka-golden.ts';

const SIZE_BYTES = 4;
const { apis, messages, clientId, correlationId } = readGolden();

const inKafka = [...catalogue.values()].filter(({ kafka }) => kafka);

test.each(inKafka)('$name has a golden message for each version and side', ({ name, key, kafka }) => {
  const theirs = apis.find(({ api }) => api === name);
  expect(theirs).toMatchObject({ key, max: kafka?.versions[1], flexible: kafka?.flexible });
  // Of Produce we describe what Kafka 4 no longer does, to be able to refuse it in words.
  expect(theirs?.min).toBe(name === 'Produce' ? 3 : kafka?.versions[0]);
  for (let version = theirs?.min ?? 0; version <= (theirs?.max ?? -1); version++) {
    for (const message of [`${name}Request`, `${name}Response`]) {
      const found = messages.filter((each) => each.message === message && each.version === version);
      expect(found.length, `${message} version ${version}`).toBeGreaterThanOrEqual(2);
    }
  }
});

function apiOf({ message }: GoldenMessage): AnyApi {
  const found = inKafka.find(({ name }) => name === message.replace(/(Request|Response)$/, ''));
  if (!found) throw new Error(`no API for ${message}`);
  return found;
}

const isRequest = ({ message }: GoldenMessage): boolean => message.endsWith('Request');

/** Reads a frame as what the golden message is. */
function read(golden: GoldenMessage, frame: Uint8Array): unknown {
  const api = apiOf(golden);
  if (!isRequest(golden)) return decodeKafkaResponse(api, golden.version, frame).body;
  const header = decodeKafkaRequestHeader(frame);
  return decodeKafkaRequestBody(api, { ...header, apiVersion: golden.version });
}

function write(golden: GoldenMessage, body: unknown): Uint8Array {
  const { version } = golden;
  const api = apiOf(golden);
  const parts = isRequest(golden)
    ? encodeKafkaRequest(api, version, correlationId, clientId, body)
    : encodeKafkaResponse(api, version, correlationId, body);
  return join(parts).subarray(SIZE_BYTES);
}

const cases = messages.map((golden, i) => [golden.message, golden.version, i, golden] as const);

describe.each(cases)('%s version %i (%i)', (_message, version, _i, golden) => {
  const frame = fromBase64(golden.frame);
  const api = apiOf(golden);
  const schema = isRequest(golden) ? api.request : api.response;

  test('says to us what it says to Java', () => {
    expect(read(golden, frame)).toEqual(goldenValue(schema, version, golden.value));
    if (isRequest(golden)) {
      const header = { apiKey: api.key, apiVersion: version, correlationId, clientId };
      expect(decodeKafkaRequestHeader(frame)).toMatchObject(header);
    }
  });

  if (golden.readOnly) return;
  test('we write the same bytes', () => {
    expect(Buffer.from(write(golden, read(golden, frame))).toString('base64')).toBe(golden.frame);
  });
});

/** Decodes; whatever is accepted must be something that we could have sent. */
function survive(golden: GoldenMessage, frame: Uint8Array): void {
  const largest = largestAllocation(() => {
    try {
      write(golden, read(golden, frame));
    } catch (error) {
      expect(error).toBeInstanceOf(ProtocolError);
    }
  });
  expect(largest).toBeLessThanOrEqual(Math.max(8192, 50 * frame.length));
}

const versions = messages.filter(
  ({ message, version }, i) => messages[i - 1]?.message !== message || messages[i - 1]?.version !== version,
);

describe.each(versions.map((golden) => [golden.message, golden.version, golden] as const))(
  'damaged: %s version %i',
  (_message, _version, golden) => {
    const frame = fromBase64(golden.frame);

    test('cut off at every byte', () => {
      for (let length = 0; length < frame.length; length++) {
        expect(() => read(golden, frame.slice(0, length)), `${length} bytes`).toThrow(ProtocolError);
      }
    });

    test('with a bit of each byte flipped, and with worse', () => {
      for (let at = 0; at < frame.length; at++) {
        const flipped = frame.slice();
        flipped[at] = (flipped[at] as number) ^ (1 << ((at * 5) & 7));
        survive(golden, flipped);
      }
      fc.assert(
        fc.property(damages, (harm) => survive(golden, damage(frame, harm))),
        { numRuns: 30 },
      );
    });
  },
);
