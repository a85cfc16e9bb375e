import { string } from '../../src/client/index.ts';
import { decodeRecords } from '../../src/protocol/record-decoder.ts';
import type { NodeLog } from '../checker/history.ts';
import { seenRecord } from '../workloads/reader.ts';
import type { Workloads } from '../workloads/workloads.ts';
import type { SimCluster } from './sim-cluster.ts';

const READ_BYTES = 1_000_000;

/** Fresh clients read every partition from offset 0, and each node's own log is read beside them. */
export async function readFinalState(cluster: SimCluster, workloads: Workloads): Promise<void> {
  const { recorder } = workloads;
  const { name: topicName } = workloads.topic;
  const machine = workloads.machine('final');
  const client = machine.client();
  const topic = (await client.admin().describeTopics([topicName]))[0];
  const all = (topic?.partitions ?? []).map(({ partition }) => ({ topic: topicName, partition }));
  const ends = await client.admin().listOffsets(all, 'latest');
  const consumer = client.consumer({ value: string, autoOffsetReset: 'earliest' });
  await consumer.assign(all);
  let left = ends.filter(({ offset }) => offset > 0);
  while (left.length > 0) {
    const records = (await consumer.poll(1000)).map(seenRecord);
    recorder.add({ type: 'poll', reader: machine.processName, isFinal: true, records });
    const positions = new Map<string, number>();
    for (const { partition } of left)
      positions.set(String(partition), await consumer.position({ topic: topicName, partition }));
    left = left.filter(({ partition, offset }) => (positions.get(String(partition)) ?? 0) < offset);
  }
  for (const { id, node } of cluster.nodes) {
    for (const partition of node?.replicas.partitions() ?? []) {
      const { log, assignment } = partition;
      if (!log || assignment.topicName !== topicName) continue;
      const records: NodeLog['records'][number][] = [];
      for (let offset = log.logStartOffset; offset < log.highWatermark; ) {
        const read = await log.read(offset, READ_BYTES, log.highWatermark);
        for (const batch of read.records) {
          for (const record of decodeRecords(batch))
            records.push({
              offset: record.offset,
              value: new TextDecoder().decode(record.value ?? undefined),
            });
        }
        if (read.nextOffset <= offset) throw new Error(`node ${id} cannot read its log at ${offset}`);
        offset = read.nextOffset;
      }
      const { logStartOffset: startOffset, highWatermark } = log;
      const name = `${topicName}-${partition.partition}`;
      recorder.add({ type: 'nodeLog', node: `${id}`, partition: name, startOffset, highWatermark, records });
    }
  }
}
