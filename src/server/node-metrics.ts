import type { MetadataImage } from '../metadata/image.ts';
import type { Sample } from '../platform/ports.ts';
import type { ReplicaManager } from '../replication/replica-manager.ts';
import { SERVER_METRICS } from './metrics.ts';

/**
 * Every node has the committed offsets, in its image, and the leader of a partition knows its high watermark: so each
 * leader tells the lag of every group that has committed there, and each lag is told once.
 */
export function sampleGroupLag(image: MetadataImage, replicas: ReplicaManager, sample: Sample): void {
  for (const group of image.groups.values()) {
    for (const [topicId, offsets] of group.offsets) {
      for (const [partition, { offset }] of offsets) {
        const replica = replicas.partition(topicId, partition);
        if (!replica?.led || !replica.log) continue;
        const { highWatermark, logStartOffset } = replica.log;
        // What retention removed meanwhile is not waiting any more.
        const lag = Math.max(0, highWatermark - Math.max(offset, logStartOffset));
        sample(SERVER_METRICS.groupLag, lag, group.id, replica.assignment.topicName, String(partition));
      }
    }
  }
}
