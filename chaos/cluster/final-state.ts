import { string, type TopicPartition } from '../../src/client/index.ts';
import type { PartitionLog } from '../../src/log/partition-log.ts';
import { splitBatches } from '../../src/protocol/record-batch.ts';
import { decodeRecords } from '../../src/protocol/record-decoder.ts';
import type { TextRecord } from '../workloads/recorder.ts';
import type { Workloads } from '../workloads/workloads.ts';
import type { SimCluster } from './sim-cluster.ts';

const READ_BYTES = 1_000_000;
const POLL_MS = 1000;

/**
 * Fresh clients read every topic that was written to, each partition from where its log starts up to its end, and each
 * node's own log is read beside them.
 */
export async function readFinalState(cluster: SimCluster, workloads: Workloads): Promise<void> {
  const { written } = workloads.recorder;
  const client = workloads.machine('final').client();
  const existing = (await client.admin().listTopics()).filter(({ name }) => written.has(name));
  const topics = await client.admin().describeTopics(existing.map(({ name }) => name));
  const all = topics.flatMap(({ name: topic, partitions }) =>
    partitions.map(({ partition }) => ({ topic, partition })),
  );
  await readAll(workloads, all);
  for (const { id, node } of cluster.nodes) {
    for (const { log, assignment, partition } of node?.replicas.partitions() ?? []) {
      const at = { topic: assignment.topicName, partition };
      if (log && written.has(at.topic)) await readLog(workloads, `${id}`, at, log as unknown as PartitionLog);
    }
  }
}

/** One reader from the start of each log, until it is behind all that was there when it began. */
async function readAll(workloads: Workloads, all: readonly TopicPartition[]): Promise<void> {
  const { recorder } = workloads;
  const machine = workloads.machine('final');
  const client = machine.client();
  const ends = await client.admin().listOffsets(all, 'latest');
  const consumer = client.consumer({ value: string, autoOffsetReset: 'earliest' });
  await consumer.assign(all);
  let left = [...ends];
  for (;;) {
    const positions = await Promise.all(left.map((at) => consumer.position(at)));
    left = left.filter(({ offset }, index) => (positions[index] ?? 0) < offset);
    if (left.length === 0) return;
    const records = (await consumer.poll(POLL_MS)).map((record) => recorder.seen(record));
    recorder.add({ type: 'poll', reader: machine.processName, isFinal: true, records });
  }
}

async function readLog(
  { recorder }: Workloads,
  node: string,
  at: TopicPartition,
  log: PartitionLog,
): Promise<void> {
  const { logStartOffset: startOffset, highWatermark } = log;
  const found: TextRecord[] = [];
  for (let offset = startOffset; offset < highWatermark; ) {
    const { records, nextOffset } = await log.read(offset, READ_BYTES, highWatermark);
    for (const batch of records.flatMap(splitBatches)) {
      for (const { offset, value } of decodeRecords(batch))
        found.push({ ...at, offset, value: new TextDecoder().decode(value ?? undefined) });
    }
    if (nextOffset <= offset) throw new Error(`node ${node} cannot read its log at ${offset}`);
    offset = nextOffset;
  }
  const { partition } = recorder.seen({ ...at, offset: startOffset, value: null });
  const records = found.map((record) => recorder.seen(record)).filter(({ offset }) => offset >= startOffset);
  recorder.add({ type: 'nodeLog', node, partition, startOffset, highWatermark, records });
}
