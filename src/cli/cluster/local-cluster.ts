import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeStatus } from './node-process.ts';
import { NodeProcess } from './node-process.ts';
import { KAFKA_PORT_OFFSET } from './ports.ts';

const VOTERS_MAX = 3;
const START_TIMEOUT_MS = 30_000;

interface Layout {
  readonly nodes: number;
  /** Node N listens on this port + N. */
  readonly basePort: number;
  /** And for Kafka's clients on this one + N; by default `KAFKA_PORT_OFFSET` above the other. */
  readonly kafkaBasePort?: number | undefined;
  /** Pages that may connect to its nodes. */
  readonly allowedOrigins?: readonly string[];
}

/** A cluster of node processes on this machine. Its layout is kept in `cluster.json` of its folder. */
export class LocalCluster {
  readonly nodes: readonly NodeProcess[];

  private constructor(dir: string, { nodes, basePort, kafkaBasePort, allowedOrigins = [] }: Layout) {
    const ids = Array.from({ length: nodes }, (_, index) => index + 1);
    const voters = ids.slice(0, VOTERS_MAX).map((id) => `${id}@127.0.0.1:${basePort + id}`);
    const replicas = Math.min(nodes, 3);
    const overrides = [
      `voters=${voters.join(',')}`,
      `topicDefaults.replicationFactor=${replicas}`,
      `topicDefaults.minInsyncReplicas=${replicas === 3 ? 2 : 1}`,
    ];
    if (allowedOrigins.length > 0) overrides.push(`allowedOrigins=${allowedOrigins.join(',')}`);
    const kafkaBase = kafkaBasePort ?? basePort + KAFKA_PORT_OFFSET;
    this.nodes = ids.map(
      (id) => new NodeProcess(id, dir, { port: basePort + id, kafkaPort: kafkaBase + id }, overrides),
    );
  }

  /** Opens the cluster of a folder; one that exists keeps the layout that it was made with. */
  static open(dir: string, layout: Layout): LocalCluster {
    const file = join(dir, 'cluster.json');
    if (!existsSync(file)) return new LocalCluster(dir, layout);
    return new LocalCluster(dir, JSON.parse(readFileSync(file, 'utf8')) as Layout);
  }

  static create(dir: string, layout: Layout): LocalCluster {
    const file = join(dir, 'cluster.json');
    if (!existsSync(file)) {
      mkdirSync(dir, { recursive: true });
      writeFileSync(file, `${JSON.stringify(layout)}\n`);
    }
    return LocalCluster.open(dir, layout);
  }

  get bootstrap(): string {
    return this.nodes.map((node) => node.url).join(',');
  }

  /** What Kafka's clients call `bootstrap.servers`. */
  get kafkaBootstrap(): string {
    return this.nodes.map((node) => `127.0.0.1:${node.kafkaPort}`).join(',');
  }

  /** @throws Error naming the ids that there are. */
  node(id: number): NodeProcess {
    const node = this.nodes.find((each) => each.id === id);
    if (!node) throw new Error(`there is no node ${id}; this cluster has nodes 1 to ${this.nodes.length}`);
    return node;
  }

  /** Starts every node that is not running and resolves once all of them serve. */
  async up(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.spawn()));
    const deadlineMs = Date.now() + START_TIMEOUT_MS;
    await Promise.all(this.nodes.map((node) => node.untilReady(deadlineMs)));
  }

  async start(id: number): Promise<void> {
    const node = this.node(id);
    await node.spawn();
    await node.untilReady(Date.now() + START_TIMEOUT_MS);
  }

  /** Stops every node gracefully; returns the ids of those that ran. */
  async down(): Promise<number[]> {
    const ended = await Promise.all(this.nodes.map((node) => node.end('stop')));
    return this.nodes.filter((_, index) => ended[index]).map(({ id }) => id);
  }

  status(): Promise<NodeStatus[]> {
    return Promise.all(this.nodes.map((node) => node.status()));
  }
}
