import type { PartitionImage } from '../metadata/image.ts';

interface Topic {
  readonly partitions: readonly Pick<PartitionImage, 'replicas' | 'isr'>[];
}

interface Health {
  readonly nodeId: number;
  /** What the node waits for before it can serve; undefined once it serves. */
  readonly waitingFor: string | undefined;
  readonly image: { readonly topics: { values(): Iterable<Topic> } };
}

interface HealthAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * Answers the health checks: `/healthz` (the process runs), `/readyz` (it serves), `/insyncz` (it serves, and all of its
 * replicas are in sync: the next node may be restarted). Undefined for another path.
 */
export function healthAnswer(path: string, health: Health): HealthAnswer | undefined {
  switch (path) {
    case '/healthz':
      return { status: 200, body: 'ok\n' };
    case '/readyz':
      return answer('ready', health.waitingFor);
    case '/insyncz':
      return answer('in sync', health.waitingFor ?? catchingUp(health));
    default:
      return undefined;
  }
}

function answer(good: string, reason: string | undefined): HealthAnswer {
  return reason === undefined ? { status: 200, body: `${good}\n` } : { status: 503, body: `${reason}\n` };
}

function catchingUp({ nodeId, image }: Health): string | undefined {
  let behind = 0;
  for (const { partitions } of image.topics.values()) {
    for (const { replicas, isr } of partitions)
      if (replicas.includes(nodeId) && !isr.includes(nodeId)) behind++;
  }
  return behind === 0 ? undefined : `${behind} of its replicas to be in sync`;
}
