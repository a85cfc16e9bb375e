/**
 * The history checker: the rules of Jepsen's Kafka workload as a pure function over what clients did and saw and what
 * each node holds. It knows nothing of how a history came about, so the simulator and runs of real processes share it.
 * Begin with `history.ts` (the operations) and `versions.ts` (the order of each partition); then one file per family of
 * rules. May import nothing of the product.
 */

import { commitsGoingBack, ownersStartingElsewhere, twoOwners } from './group-rules.ts';
import type { Anomaly, History } from './history.ts';
import { nodeLosses } from './node-rules.ts';
import { readerAnomalies } from './reader-rules.ts';
import {
  duplicates,
  failedWritesSeen,
  inconsistentOffsets,
  lostWrites,
  nonMonotonicSends,
  unseen,
} from './record-rules.ts';
import { versionsOf } from './versions.ts';

/** Every anomaly of a history; none for one that a correct system may have produced. */
export function checkHistory(history: History): Anomaly[] {
  const versions = versionsOf(history);
  return [
    ...inconsistentOffsets(versions),
    ...duplicates(versions),
    ...lostWrites(versions),
    ...failedWritesSeen(versions),
    ...readerAnomalies(history, versions),
    ...nonMonotonicSends(versions),
    ...unseen(versions),
    ...commitsGoingBack(history),
    ...ownersStartingElsewhere(history, versions),
    ...twoOwners(history),
    ...nodeLosses(versions),
  ];
}
