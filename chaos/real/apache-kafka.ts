/** A three-node cluster of Apache Kafka from its own jars, in KRaft mode, as a peer to measure against. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freeBasePort } from '../../src/cli/cluster/free-ports.ts';
import { kafkaClassPath } from '../../test/compat/kafka-jars.ts';

const NODES = 3;
const HEAP = '-Xmx1g';
const START_TIMEOUT_MS = 60_000;
const run = promisify(execFile);

export class ApacheKafka {
  readonly bootstrap: string;
  readonly #dir: string;
  readonly #processes: ChildProcess[];

  private constructor(dir: string, bootstrap: string, processes: ChildProcess[]) {
    this.#dir = dir;
    this.bootstrap = bootstrap;
    this.#processes = processes;
  }

  /** Formats and starts the nodes, with Kafka's defaults but for replication; resolves once all of them are unfenced. */
  static async start(): Promise<ApacheKafka> {
    const classPath = kafkaClassPath();
    const dir = mkdtempSync(join(tmpdir(), 'apache-kafka-'));
    const base = await freeBasePort(NODES * 2);
    const ids = Array.from({ length: NODES }, (_, index) => index + 1);
    const bootstrap = ids.map((id) => `127.0.0.1:${base + id}`).join(',');
    const clusterId = (
      await run('java', ['-cp', classPath, 'kafka.tools.StorageTool', 'random-uuid'])
    ).stdout.trim();
    const processes: ChildProcess[] = [];
    const cluster = new ApacheKafka(dir, bootstrap, processes);
    try {
      for (const id of ids) {
        const file = join(dir, `node-${id}.properties`);
        writeFileSync(file, properties(id, base, join(dir, `node-${id}`)));
        const format = ['-cp', classPath, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', file];
        await run('java', format);
        const args = [HEAP, '-cp', classPath, 'kafka.Kafka', file];
        processes.push(spawn('java', args, { stdio: 'ignore' }));
      }
      await cluster.#untilReady(classPath);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#processes.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      }),
    );
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async createTopic(name: string, partitions: number): Promise<void> {
    const command = ['org.apache.kafka.tools.TopicCommand', '--bootstrap-server', this.bootstrap, '--create'];
    const topic = [
      '--topic',
      name,
      '--partitions',
      String(partitions),
      '--replication-factor',
      String(NODES),
    ];
    await run('java', ['-cp', kafkaClassPath(), ...command, ...topic]);
  }

  async #untilReady(classPath: string): Promise<void> {
    const deadlineMs = performance.now() + START_TIMEOUT_MS;
    const command = [
      'org.apache.kafka.tools.ClusterTool',
      'list-endpoints',
      '--bootstrap-server',
      this.bootstrap,
    ];
    for (;;) {
      const listed = await run('java', ['-cp', classPath, ...command]).catch(() => undefined);
      const alive = listed?.stdout.match(/^\d+\s/gm)?.length ?? 0;
      if (alive === NODES) return;
      if (performance.now() > deadlineMs) throw new Error(`Apache Kafka has ${alive} of ${NODES} brokers`);
    }
  }
}

function properties(id: number, base: number, dataDir: string): string {
  const voters = Array.from({ length: NODES }, (_, n) => `${n + 1}@127.0.0.1:${base + NODES + n + 1}`);
  return [
    'process.roles=broker,controller',
    `node.id=${id}`,
    `controller.quorum.voters=${voters.join(',')}`,
    `listeners=PLAINTEXT://127.0.0.1:${base + id},CONTROLLER://127.0.0.1:${base + NODES + id}`,
    'controller.listener.names=CONTROLLER',
    `log.dirs=${dataDir}`,
    `default.replication.factor=${NODES}`,
    'min.insync.replicas=2',
    `offsets.topic.replication.factor=${NODES}`,
    '',
  ].join('\n');
}
