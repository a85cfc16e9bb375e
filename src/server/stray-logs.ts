import type { LogDirectory } from '../log/log-directory.ts';
import type { MetadataImage } from '../metadata/image.ts';
import type { Logger } from '../platform/ports.ts';
import type { ReplicaManager } from '../replication/replica-manager.ts';

/**
 * Removes the logs of topics that were removed while this process was down: the change may lie within one step of the
 * image, so no delta tells of it. This broker's registration is committed after all that it ever applied, so what the
 * image lacks by then was removed for certain. Not for a folder that knew no cluster at start: its logs are of unknown
 * origin, and stay.
 */
export function removeStrayLogs(
  { topics }: MetadataImage,
  logs: LogDirectory,
  replicas: ReplicaManager,
  logger: Logger,
): void {
  const removed = Array.from(logs.all(), ({ topicId, partition }) => ({ topicId, partition })).filter(
    ({ topicId }) => !topics.has(topicId),
  );
  if (removed.length === 0) return;
  logger.info({ logs: removed.length }, 'Removing logs of topics that were removed meanwhile');
  void replicas.applyAssignments({ changed: [], removed });
}
