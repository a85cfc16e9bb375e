/**
 * The history checker: the rules of Jepsen's Kafka workload as a pure function over what clients did and saw and what
 * each node holds. It knows nothing of how a history came about, so the simulator and runs of real processes share it.
 * Begin with `history.ts` (the operations) and `versions.ts` (the order of each partition); then one file per family of
 * rules. May import nothing of the product.
 *
 * Jepsen's cycles of transactions (G0, G1c) are not here, since the product has no transactions.
 */

import { commitsGoingBack, ownersStartingElsewhere, twoOwners } from './group-rules.ts';
import type { Anomaly, History } from './history.ts';
import { offsetsNotLinearizable, topicsNotLinearizable } from './linearizability-rules.ts';
import { nodeLosses, startsBeyondTheEnd } from './node-rules.ts';
import { readerAnomalies } from './reader-rules.ts';
import { conflictingPlaces, fatesOfSends, nonMonotonicSends } from './record-rules.ts';
import { topicsFromNowhere } from './topic-rules.ts';
import { versionsOf } from './versions.ts';

/** Every anomaly of a history; none for one that a correct system may have produced. */
export function checkHistory(history: History): Anomaly[] {
  const versions = versionsOf(history);
  return [
    ...conflictingPlaces(history, versions),
    ...fatesOfSends(history, versions),
    ...readerAnomalies(history, versions),
    ...nonMonotonicSends(history),
    ...commitsGoingBack(history),
    ...ownersStartingElsewhere(history, versions),
    ...twoOwners(history),
    ...nodeLosses(history, versions),
    ...startsBeyondTheEnd(history),
    ...topicsNotLinearizable(history),
    ...topicsFromNowhere(history),
    ...offsetsNotLinearizable(history),
  ];
}
