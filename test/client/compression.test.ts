import { beforeAll, describe, expect, test } from 'vitest';
import { Consumer } from '../../src/client/consumer.ts';
import { Producer } from '../../src/client/producer.ts';
import { silentLogger } from '../../src/client/rpc.ts';
import { string } from '../../src/client/serde.ts';
import { nodeCodecs } from '../../src/protocol/codecs/node.ts';
import { COMPRESSION, loadCodec, setCodecLoader } from '../../src/protocol/compression.ts';
import { ATTRIBUTE, readBatchHeader } from '../../src/protocol/record-batch.ts';
import { FakeCluster } from './support/fake-cluster.ts';

const setUp = (seed: string | number = 1, partitions = 3) => {
  const fake = new FakeCluster(seed);
  const topic = fake.addTopic('t', partitions);
  return { fake, topic, cluster: fake.connect() };
};

describe('compression', () => {
  // Loading takes real time, and the fake cluster's is simulated.
  beforeAll(async () => {
    setCodecLoader(nodeCodecs(silentLogger));
    await Promise.all([1, 2, 3, 4].map(loadCodec));
  });

  const text = 'the same words again and again, '.repeat(10);

  test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(
    '%s: batches fill by what they will shrink to',
    async (name) => {
      const { fake, topic, cluster } = setUp(1, 1);
      const producer = new Producer(cluster, { compression: name, batchBytes: 4_096 });
      const consumer = new Consumer<Uint8Array, string>(cluster, { from: 'earliest', value: string });
      for (let round = 0; round < 30; round++) {
        await fake.world.settle(
          producer.sendMany(Array.from({ length: 100 }, (_, i) => ({ topic: 't', value: `${text}${i}` }))),
        );
      }
      const batches = topic.partitions[0]?.batches ?? [];
      for (const { bytes } of batches) {
        expect(readBatchHeader(bytes).attributes & ATTRIBUTE.compressionMask).toBe(COMPRESSION[name]);
        expect(bytes.length).toBeLessThan(4_096 * 1.2);
      }
      const counts = batches.map(({ bytes }) => readBatchHeader(bytes).recordCount);
      expect(Math.max(...counts.slice(-10))).toBeGreaterThan(2 * Math.max(...counts.slice(0, 5)));
      await fake.world.settle(consumer.assign([{ topic: 't', partition: 0 }]));
      const read: string[] = [];
      while (read.length < 3_000) {
        for (const { value } of await fake.world.settle(consumer.poll())) read.push(value ?? '');
      }
      expect(read).toEqual(Array.from({ length: 3_000 }, (_, i) => `${text}${i % 100}`));
      await fake.world.settle(Promise.all([producer.close(), consumer.close()]));
    },
  );

  test('a compression or a level that does not exist is refused at once', () => {
    const { cluster } = setUp();
    for (const options of [
      { compression: 'lzma' as 'lz4' },
      { compression: 'lz4', compressionLevel: 1 } as const,
    ]) {
      expect(() => new Producer(cluster, options)).toThrow(
        expect.objectContaining({ code: 'INVALID_CONFIG' }),
      );
    }
    expect(() => new Producer(cluster, { compression: 'gzip', compressionLevel: 10 })).toThrow('from 1 to 9');
  });
});
