/** Which segments retention removes: whole, the oldest first, and none that reaches above the high watermark. Pure. */

import type { LogConfig } from './log-config.ts';
import type { Segment } from './segment.ts';

/** A segment whose largest timestamp was not loaded counts as young. The active one is removed by age alone. */
export function expiredSegments(
  segments: readonly Segment[],
  config: LogConfig,
  highWatermark: number,
  nowWallMs: number,
): Segment[] {
  const removable = segments.filter((segment) => segment.endOffset <= highWatermark && segment.sizeBytes > 0);
  let excessBytes =
    config.retentionBytes < 0
      ? 0
      : segments.reduce((sum, segment) => sum + segment.sizeBytes, 0) - config.retentionBytes;
  const expired: Segment[] = [];
  for (const segment of removable) {
    const { maxTimestamp = Number.POSITIVE_INFINITY } = segment;
    const isOld =
      config.retentionMs >= 0 && maxTimestamp >= 0 && nowWallMs - maxTimestamp > config.retentionMs;
    const isExcess = excessBytes >= segment.sizeBytes && segment !== segments.at(-1);
    if (!isOld && !isExcess) break;
    expired.push(segment);
    excessBytes -= segment.sizeBytes;
  }
  return expired;
}
