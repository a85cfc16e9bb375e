import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeBasePort } from '../../src/cli/cluster/free-ports.ts';
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts';
import { Odradek } from '../../src/client/node.ts';
import { LOG_METRICS } from '../../src/log/metrics.ts';
import { nodeClock } from '../../src/platform/clock.ts';
import { PROCESS_METRICS } from '../../src/platform/metrics.ts';
import { PrometheusMeter } from '../../src/platform/prometheus.ts';
import { Produce } from '../../src/protocol/messages/produce.ts';
import { REPLICATION_METRICS } from '../../src/replication/metrics.ts';
import { RpcEvents } from '../../src/transport/rpc-events.ts';

export interface RecordingFigures {
  /** What a node spends on the metrics of one produce request. */
  readonly recordingUs: number;
  /** All the CPU time that a node spends on the smallest one: a single record, on the only replica. */
  readonly requestUs: number;
}

const LOOPS = 1_000_000;
const PRODUCERS = 32;
const RECORDS_EACH = 300;

/** What it costs to record metrics, against all that a request costs. Needs a built `dist/`. */
export async function measureRecording(): Promise<RecordingFigures> {
  for (let warmUp = 0; warmUp < LOOPS / 10; warmUp++) record();
  const before = process.cpuUsage();
  for (let loop = 0; loop < LOOPS; loop++) record();
  const { user, system } = process.cpuUsage(before);
  return { recordingUs: (user + system) / LOOPS, requestUs: await requestUs() };
}

const meter = new PrometheusMeter(nodeClock);
const events = new RpcEvents(meter, 'ws');
const produceWait = meter.histogram(REPLICATION_METRICS.purgatorySeconds, 'produce');
const round = meter.histogram(LOG_METRICS.roundSeconds);
const sync = meter.histogram(PROCESS_METRICS.sync, 'partitions');

/** All that is recorded of a produce request with a group commit of its own: none shares the round and its sync. */
function record(): void {
  const receivedAt = meter.now();
  events.bytesReceived.add(200);
  const api = events.of(Produce);
  api.requests.add();
  const startedAt = meter.now();
  api.queueSeconds.observe(startedAt - receivedAt);
  const waitsFrom = meter.now();
  const roundFrom = meter.now();
  const syncFrom = meter.now();
  sync.observe(meter.now() - syncFrom);
  round.observe(meter.now() - roundFrom);
  produceWait.observe(meter.now() - waitsFrom);
  const answeredAt = meter.now();
  api.handleSeconds.observe(answeredAt - startedAt);
  events.answered(Produce, ANSWER);
  events.bytesSent.add(100);
  api.sendSeconds.observe(meter.now() - answeredAt);
}

const ANSWER = { responses: [] };

async function requestUs(): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-recording-'));
  const cluster = LocalCluster.create(dir, { nodes: 1, basePort: await freeBasePort(1) });
  try {
    await cluster.up();
    const client = new Odradek({ bootstrap: cluster.bootstrap });
    await client.admin().createTopic({ name: 'small', partitions: PRODUCERS });
    const producers = Array.from({ length: PRODUCERS }, () => client.producer());
    const drive = () =>
      Promise.all(
        producers.map(async (producer, partition) => {
          for (let n = 0; n < RECORDS_EACH; n++)
            await producer.send({ topic: 'small', partition, value: 'x'.repeat(100) });
        }),
      );
    await drive();
    const before = await usage(cluster.bootstrap);
    await drive();
    const after = await usage(cluster.bootstrap);
    await client.close();
    return (1e6 * (after.cpuSeconds - before.cpuSeconds)) / (after.produces - before.produces);
  } finally {
    await Promise.all(cluster.nodes.map((node) => node.end('kill')));
    rmSync(dir, { recursive: true, force: true });
  }
}

async function usage(url: string): Promise<{ readonly cpuSeconds: number; readonly produces: number }> {
  const text = await (await fetch(`${url.replace('ws', 'http')}/metrics`)).text();
  const value = (series: string) => {
    const line = text.split('\n').find((each) => each.startsWith(`${series} `));
    if (line === undefined) throw new Error(`no ${series} in the metrics`);
    return Number(line.slice(series.length));
  };
  return {
    cpuSeconds: value(PROCESS_METRICS.cpu.name),
    produces: value('odradek_requests_total{api="Produce",listener="ws"}'),
  };
}
