import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeBasePort } from '../cluster/free-ports.ts';
import { LocalCluster } from '../cluster/local-cluster.ts';
import { type ConsumerArguments, ConsumerProcess } from './consumer-process.ts';

const NODES = 3;
const LOG_LINES_MAX = 5;
const WARN_LEVEL = 40;

/** Everything that the demo leaves lying about: its cluster, its consumers, its folder. `clear` takes it all away. */
export class Stage {
  readonly cluster: LocalCluster;
  readonly consumers: ConsumerProcess[] = [];
  readonly #dir: string;

  private constructor(dir: string, cluster: LocalCluster) {
    this.#dir = dir;
    this.cluster = cluster;
  }

  /** A cluster of its own, in a temporary folder and on free ports; not started yet. Such pages may connect to it. */
  static async set({ allowedOrigins = [] as readonly string[] } = {}): Promise<Stage> {
    const basePort = await freeBasePort(NODES);
    const dir = mkdtempSync(join(tmpdir(), 'odradek-demo-'));
    return new Stage(dir, LocalCluster.create(dir, { nodes: NODES, basePort, allowedOrigins }));
  }

  startConsumer(options: ConsumerArguments, onFailure: (error: Error) => void): void {
    this.consumers.push(new ConsumerProcess(options, onFailure));
  }

  /** The last warnings and errors of each node, for when things go wrong. */
  complaints(): string[] {
    return this.cluster.nodes.flatMap(({ id, logFile }) => {
      if (!existsSync(logFile)) return [];
      const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').filter(isComplaint);
      return lines.slice(-LOG_LINES_MAX).map((line) => `node ${id}: ${line}`);
    });
  }

  /** Synchronous, so that it can run while the process ends, however it ends. */
  clear(): void {
    for (const consumer of this.consumers) if (!consumer.isToEnd) consumer.kill();
    for (const node of this.cluster.nodes) node.signal('SIGKILL');
    rmSync(this.#dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

function isComplaint(line: string): boolean {
  const level = /^\{"level":(\d+)/.exec(line)?.[1];
  return level === undefined || Number(level) >= WARN_LEVEL;
}
