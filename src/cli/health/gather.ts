import type { Admin, ClusterDescription, Odradek, TopicPartition } from '../../client/node.ts';
import type { BrokerLogs } from './partition-health.ts';

/** A broker that has just died must not hold up the picture of the others. */
const BROKER_TIMEOUT_MS = 2000;

/** Asks every broker that is not fenced for its logs, of these partitions or of all. Those that do not answer are left out. */
export async function gatherLogs(
  client: Odradek,
  { brokers }: ClusterDescription,
  of: readonly TopicPartition[] | null = null,
): Promise<BrokerLogs> {
  const admin = client.admin({ timeoutMs: BROKER_TIMEOUT_MS });
  const answers = await Promise.all(
    brokers
      .filter(({ isFenced }) => !isFenced)
      .map(async ({ id }) => [id, await within(admin.describeLogDirs(id, of))] as const),
  );
  return new Map(answers.flatMap(([id, dirs]) => (dirs === undefined ? [] : [[id, dirs] as const])));
}

/** The same answer, or undefined when it is late or does not come: a request may wait longer than an operator. */
export async function within<T>(answer: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), BROKER_TIMEOUT_MS);
  });
  try {
    return await Promise.race([answer.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The topic's `min.insync.replicas`; 1 when it cannot be told. */
export async function minInSyncReplicas(admin: Admin, topic: string): Promise<number> {
  const configs = await within(admin.describeConfigs({ topic }));
  return Number(configs?.find(({ name }) => name === 'min.insync.replicas')?.value ?? 1);
}
