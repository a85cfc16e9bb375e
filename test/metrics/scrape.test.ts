import { expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../../src/testing/index.ts';

/** The series of one metric on one node: value by labels, as they stand in the text. */
async function series(cluster: TestCluster, name: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${cluster.node(1).url.replace('ws', 'http')}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  return Object.fromEntries(
    lines.map((line) => [line.slice(name.length, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  );
}

test('a scrape tells the lag of a group, the size of logs, requests and refusals, to the record', async () => {
  await using cluster = await startCluster({ topics: ['orders'] });
  const client = cluster.client();
  const producer = client.producer();
  for (let n = 0; n < 10; n++) await producer.send({ topic: 'orders', value: `${n}` });
  const consumer = client.consumer({ group: 'g"1', autoOffsetReset: 'earliest' });
  await consumer.subscribe(['orders']);
  let read = 0;
  while (read < 10) read += (await consumer.poll(1000)).length;
  await consumer.commitSync([{ topic: 'orders', partition: 0, offset: 4 }]);
  await expect(client.admin().createTopic({ name: 'orders', partitions: 1 })).rejects.toThrow();

  const at = '{topic="orders",partition="0"}';
  expect(await series(cluster, 'odradek_group_lag_records')).toEqual({
    '{group="g\\"1",topic="orders",partition="0"}': 6,
  });
  expect(await series(cluster, 'odradek_partition_log_end_offset')).toEqual({ [at]: 10 });
  expect(await series(cluster, 'odradek_partition_high_watermark')).toEqual({ [at]: 10 });
  expect((await series(cluster, 'odradek_partition_size_bytes'))[at]).toBeGreaterThan(10 * 60);
  expect((await series(cluster, 'odradek_requests_total'))['{api="Produce",listener="ws"}']).toBe(10);
  const refused = await series(cluster, 'odradek_refusals_total');
  expect(refused['{api="CreateTopics",error="TOPIC_ALREADY_EXISTS"}']).toBe(1);
  const buckets = await series(cluster, 'odradek_request_seconds_bucket');
  expect(buckets['{le="+Inf",api="Produce",listener="ws",stage="handle"}']).toBe(10);
});
