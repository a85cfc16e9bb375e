import { describe, expect, test } from 'vitest';
import { decodeKafkaResponse } from '../../../src/protocol/kafka-codec.ts';
import { ApiVersions } from '../../../src/protocol/messages/api-versions.ts';
import { header, hello, kafkaListener } from '../support/kafka-listener.ts';

const { peer } = kafkaListener();

describe('ApiVersions', () => {
  test('tells of the APIs that are whole, and of no other', async () => {
    for (const version of [0, 1, 2, 3, 4]) {
      const { errorCode, apiKeys } = await peer().call(ApiVersions, version, hello);
      expect(errorCode).toBe(0);
      expect(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, minVersion, maxVersion])).toEqual([
        [0, 0, 11],
        [1, 4, 18],
        [2, 1, 11],
        [3, 0, 13],
        [10, 0, 6],
        [18, 0, 4],
        [19, 2, 7],
        [20, 1, 6],
        [22, 0, 5],
        [23, 2, 4],
        [32, 1, 4],
        [60, 0, 2],
      ]);
    }
  });

  test.each([
    ['record batches', 0, 3],
    ['record batches', 1, 4],
    ['compression before 2.11.1', 0, 0],
    ['lz4', 10, 0],
    ['zstd', 0, 7],
    ['zstd', 1, 10],
    ['idempotence', 22, 0],
    ['offsets by timestamp', 2, 1],
    ['topic metadata', 3, 4],
  ])("librdkafka's gate for %s: API %i in version %i", async (_, apiKey, version) => {
    const { apiKeys } = await peer().call(ApiVersions, 0, hello);
    const range = apiKeys.find((each) => each.apiKey === apiKey);
    expect(range?.minVersion).toBeLessThanOrEqual(version);
    expect(range?.maxVersion).toBeGreaterThanOrEqual(version);
  });

  test('an unknown version is answered in version 0, with what there is to choose from, and the connection stays', async () => {
    const client = peer();
    client.rawFrame(Buffer.concat([header(18, 127), Buffer.from([9, 9, 9])]));
    expect(Buffer.from(await client.frame()).toString('hex')).toBe(
      // correlation id 77, error 35, one key: 18 from 0 to 4
      ['0000004d', '0023', '00000001', '0012', '0000', '0004'].join(''),
    );
    expect((await client.call(ApiVersions, 3, hello)).errorCode).toBe(0);
  });

  test('a client may be nameless', async () => {
    const client = peer();
    client.rawFrame(header(18, 0, null));
    expect(decodeKafkaResponse(ApiVersions, 0, await client.frame()).body.errorCode).toBe(0);
    // No tagged fields, both names null, no tagged fields.
    client.rawFrame(Buffer.concat([header(18, 3, null), Buffer.from([0, 0, 0, 0])]));
    expect(decodeKafkaResponse(ApiVersions, 3, await client.frame()).body.errorCode).toBe(0);
    expect(
      (await client.call(ApiVersions, 3, { ...hello, clientSoftwareName: '', clientSoftwareVersion: '' }))
        .errorCode,
    ).toBe(0);
  });
});
