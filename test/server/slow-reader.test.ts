import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { freeBasePort } from '../../src/cli/cluster/free-ports.ts';
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts';
import { Odradek } from '../../src/client/node.ts';
import { encodeRequest } from '../../src/protocol/codec.ts';
import { Fetch } from '../../src/protocol/messages/fetch.ts';

const MIB = 2 ** 20;
const READERS = 4;
const PIPELINED = 200;
/** What a connection may hold, and what reading it takes besides. */
const PER_READER_BYTES_MAX = 24 * MIB;

/** The largest resident memory that a process has had so far, in bytes (Linux). */
function peakMemory(pid: number): number {
  const [, kib] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}

test.skipIf(!existsSync('/proc/self/status'))(
  'clients that pipeline large fetches and read nothing cost a node what a connection may hold (needs /proc)',
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'odradek-slow-'));
    const cluster = LocalCluster.create(dir, { nodes: 1, basePort: await freeBasePort(1) });
    const readers: WebSocket[] = [];
    try {
      await cluster.up();
      const { pid, url } = cluster.node(1);
      const client = new Odradek({ bootstrap: url });
      await client.admin().createTopic({ name: 'large', partitions: 1, replicationFactor: 1 });
      const producer = client.producer({ compression: 'none' });
      for (let count = 0; count < 1000; count += 1) {
        await producer.ready();
        void producer.send({ topic: 'large', value: new Uint8Array(100_000) });
      }
      await producer.flush();
      const [topic] = await client.admin().describeTopics(['large']);
      const before = peakMemory(pid ?? 0);

      const request = fetchAll(topic?.topicId ?? '');
      for (let count = 0; count < READERS; count += 1) {
        const ws = new WebSocket(url);
        readers.push(ws);
        await once(ws, 'open');
        ws.pause();
        for (let requests = 0; requests < PIPELINED; requests += 1) ws.send(request);
      }
      // While others are served, the readers get what they will get: all the records, once more, for comparison.
      const consumer = client.consumer({ autoOffsetReset: 'earliest' });
      await consumer.assign([{ topic: 'large', partition: 0 }]);
      for (let left = 1000; left > 0; ) left -= (await consumer.poll()).length;
      const grown = peakMemory(pid ?? 0) - before;
      console.info(`${READERS} clients that read nothing cost ${Math.round(grown / MIB)} MiB`);
      expect(grown).toBeLessThan((READERS + 1) * PER_READER_BYTES_MAX);
      await client.close();
    } finally {
      for (const ws of readers) ws.terminate();
      await cluster.node(1).end('kill');
      rmSync(dir, { recursive: true, force: true, maxRetries: 10 });
    }
  },
);

function fetchAll(topicId: string): Uint8Array {
  const entry = {
    partition: 0,
    currentLeaderEpoch: -1,
    fetchOffset: 0,
    lastFetchedEpoch: -1,
    logStartOffset: -1,
  };
  const parts = encodeRequest(Fetch, Fetch.maxVersion, 1, 'reader', {
    replicaState: { replicaId: -1, replicaEpoch: -1 },
    maxWaitMs: 500,
    minBytes: 1,
    maxBytes: 50 * MIB,
    isolationLevel: 0,
    topics: [{ topicId, partitions: [{ ...entry, partitionMaxBytes: 50 * MIB }] }],
    forgottenTopicsData: [],
    rackId: '',
  });
  return Buffer.concat(parts);
}
