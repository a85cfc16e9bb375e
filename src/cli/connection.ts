/** The client of a command: connected before the work begins, so that a missing cluster is told in seconds. */
import type { Admin, ClusterDescription, Odradek } from '../client/node.ts';
import { UsageError } from './run.ts';

export interface Connection {
  readonly client: Odradek;
  readonly admin: Admin;
  /** As the cluster described itself when the connection was made. */
  readonly cluster: ClusterDescription;
}

const CONNECT_TIMEOUT_MS = 4000;
const ADMIN_TIMEOUT_MS = 15_000;

/** Connects, works and closes, whatever happens. @throws Error that says what to do when no node answers */
export async function withConnection<T>(
  bootstrap: string,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const { Odradek, ClientError } = await import('../client/node.ts');
  let client: Odradek;
  try {
    client = new Odradek({ bootstrap, clientId: 'odradek-cli' });
  } catch (error) {
    if (error instanceof ClientError) throw new UsageError(`--bootstrap: ${error.message}`);
    throw error;
  }
  try {
    const cluster = await reach(client, bootstrap);
    return await work({ client, admin: client.admin({ timeoutMs: ADMIN_TIMEOUT_MS }), cluster });
  } finally {
    await client.close();
  }
}

async function reach(client: Odradek, bootstrap: string): Promise<ClusterDescription> {
  try {
    return await client.admin({ timeoutMs: CONNECT_TIMEOUT_MS }).describeCluster();
  } catch (error) {
    const reason = error instanceof Error ? ` (${error.message})` : '';
    throw new Error(
      `no node answers at ${bootstrap}${reason}; is the cluster up ("bin/cluster status"), is --bootstrap right?`,
    );
  }
}

/** Turns the answers of a broker into what a person can act on; other errors stay as they are. */
export async function explainingTopic<T>(topic: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'UNKNOWN_TOPIC_OR_PARTITION') {
      throw new Error(`there is no topic "${topic}"; "odradek topics list" shows those there are`, {
        cause: error,
      });
    }
    throw error;
  }
}
