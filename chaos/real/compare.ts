/**
 * `make compare [RECORDS=1000000]`: the same kcat writes the same lines to Odradek and to Apache Kafka, three brokers
 * each, replication factor 3, acks=all, turn about in one run. Odradek syncs every record to disk before it acknowledges; with
 * `flush=os` it gives Kafka's own promise (replicated, synced later), so that row is the like-for-like one.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeBasePort } from '../../src/cli/cluster/free-ports.ts';
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts';
import { Odradek } from '../../src/client/node.ts';
import { kafkaClassPath, kafkaVersion } from '../../test/compat/kafka-jars.ts';
import { ApacheKafka } from './apache-kafka.ts';

const NODES = 3;
const PARTITIONS = 6;
/** Not counted: just-in-time compilers, Java's more than ours, need the first round to warm up. */
const WARM_UP_ROUNDS = 1;
const ROUNDS = 5;
const RECORD_BYTES = 100;
const records = Number(process.argv[2] ?? 1_000_000);

interface Contender {
  readonly name: string;
  readonly bootstrap: string;
  createTopic(name: string): Promise<unknown>;
}

const dir = mkdtempSync(join(tmpdir(), 'odradek-compare-'));
const odradek = LocalCluster.create(join(dir, 'cluster'), {
  nodes: NODES,
  basePort: await freeBasePort(NODES),
});
const kafka = await ApacheKafka.start();
try {
  const lines = await writeLines(join(dir, 'lines'));
  await odradek.up();
  const client = new Odradek({ bootstrap: odradek.bootstrap });
  const ours = (flush: 'sync' | 'os'): Contender => ({
    name: `Odradek, flush=${flush}`,
    bootstrap: odradek.kafkaBootstrap,
    createTopic: (name) => {
      const configs = { flush, 'min.insync.replicas': '2' };
      return client.admin().createTopic({ name, partitions: PARTITIONS, replicationFactor: NODES, configs });
    },
  });
  const theirs: Contender = {
    name: `Apache Kafka ${kafkaVersion}`,
    bootstrap: kafka.bootstrap,
    createTopic: (name) => kafka.createTopic(name, PARTITIONS),
  };
  await compare([ours('sync'), ours('os'), theirs], lines);
  await client.close();
} finally {
  await kafka.stop();
  await Promise.all(odradek.nodes.map((node) => node.end('kill')));
  rmSync(dir, { recursive: true, force: true });
}

async function compare(contenders: readonly Contender[], lines: string): Promise<void> {
  const rates = new Map(contenders.map(({ name }) => [name, [] as number[]]));
  for (let round = 1 - WARM_UP_ROUNDS; round <= ROUNDS; round++) {
    for (const contender of contenders) {
      const topic = `lines-${round}-${contender.name.replaceAll(/\W+/g, '-')}`;
      await contender.createTopic(topic);
      const rate = await produce(contender.bootstrap, topic, lines);
      expectRecords(contender.bootstrap, topic);
      if (round > 0) rates.get(contender.name)?.push(rate);
      console.log(
        `round ${round}  ${contender.name.padEnd(22)} ${Math.round(rate).toLocaleString('en')} records/s`,
      );
    }
  }
  const median = (name: string) => rates.get(name)?.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? 0;
  const peer = median(contenders.at(-1)?.name ?? '');
  console.log(
    `\nmedian of ${ROUNDS}: ${records.toLocaleString('en')} records of ${RECORD_BYTES} bytes, acks=all`,
  );
  for (const { name } of contenders) {
    const rate = median(name);
    const ratio = (rate / peer).toFixed(2);
    console.log(
      `${name.padEnd(22)} ${Math.round(rate).toLocaleString('en').padStart(9)} records/s  ${ratio} of the peer`,
    );
  }
}

/** Records per second from the start of kcat to its end, when everything is acknowledged. */
async function produce(bootstrap: string, topic: string, lines: string): Promise<number> {
  const startedMs = performance.now();
  const args = ['-P', '-b', bootstrap, '-t', topic, '-X', 'acks=all'];
  const kcat = spawn('kcat', args, { stdio: [openSync(lines, 'r'), 'inherit', 'inherit'] });
  const [code] = await once(kcat, 'exit');
  if (code !== 0) throw new Error(`kcat ended with ${code}`);
  return (records / (performance.now() - startedMs)) * 1000;
}

/** Asks Apache Kafka's own tool, so that nobody counts for himself. */
function expectRecords(bootstrap: string, topic: string): void {
  const command = ['-cp', kafkaClassPath(), 'org.apache.kafka.tools.GetOffsetShell'];
  const output = execFileSync('java', [...command, '--bootstrap-server', bootstrap, '--topic', topic], {
    encoding: 'utf8',
  });
  const sum = [...output.matchAll(/:(\d+)$/gm)].reduce((total, match) => total + Number(match[1]), 0);
  if (sum !== records) throw new Error(`${topic} has ${sum} records instead of ${records}`);
}

async function writeLines(file: string): Promise<string> {
  const out = createWriteStream(file);
  for (let line = 0; line < records; line++) {
    if (!out.write(`${String(line).padEnd(RECORD_BYTES, 'x')}\n`)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
  return file;
}
