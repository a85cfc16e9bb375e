/** What clients do to a cluster of real processes during a run, all of it recorded. Begin with `real-producer.ts`. */
import { join } from 'node:path';
import { destination } from 'pino';
import type { Odradek } from '../../../src/client/node.ts';
import { createLogger } from '../../../src/platform/logger.ts';
import type { RealCluster } from '../nemesis/real-cluster.ts';
import type { ClientContext } from './context.ts';
import { RealMember } from './real-member.ts';
import { RealProducer } from './real-producer.ts';
import { RealReader } from './real-reader.ts';

/** One producer gives up while faults last, the others outlive them. */
const DELIVERY_TIMEOUTS_MS = [5_000, 300_000, 300_000];
const READERS = 2;
const MEMBERS = 3;

export class Clients {
  readonly context: ClientContext;
  readonly names: string[] = [];
  readonly #opened: Odradek[] = [];
  readonly #producers: RealProducer[] = [];
  readonly #readers: RealReader[] = [];
  readonly members: RealMember[] = [];

  constructor(context: ClientContext) {
    this.context = context;
  }

  /** Each client is a machine of its own, with links of its own. */
  async start(cluster: RealCluster): Promise<void> {
    for (const [index, timeoutMs] of DELIVERY_TIMEOUTS_MS.entries()) {
      const name = `p${index}`;
      const client = await this.#client(cluster, name);
      this.#producers.push(new RealProducer(name, client, this.context, timeoutMs));
    }
    for (let index = 0; index < READERS; index += 1) {
      const name = `r${index}`;
      this.#readers.push(new RealReader(name, await this.#client(cluster, name), this.context));
    }
    for (let index = 0; index < MEMBERS; index += 1) {
      const name = `m${index}`;
      this.members.push(new RealMember(name, await this.#client(cluster, name), this.context));
    }
  }

  /** Sends whose fate is open. */
  get pendingSends(): string[] {
    return this.#producers.flatMap(({ pending }) => pending);
  }

  async stopProducing(): Promise<void> {
    await Promise.all(this.#producers.map((each) => each.stop()));
  }

  async stopReading(): Promise<void> {
    await Promise.all([...this.#readers, ...this.members].map((each) => each.stop()));
  }

  /** Ends all connections, whatever is still going on. */
  async close(): Promise<void> {
    await Promise.all(this.#opened.map((client) => client.close()));
  }

  async #client(cluster: RealCluster, name: string): Promise<Odradek> {
    const file = destination({ dest: join(cluster.dir, `${name}.log`), mkdir: true, sync: true });
    const logger = createLogger({ level: 'info', fields: { client: name }, stream: file });
    const client = await cluster.client(name, { logger });
    this.names.push(name);
    this.#opened.push(client);
    return client;
  }
}
