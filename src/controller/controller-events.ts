import { type MetadataImage, NO_LEADER } from '../metadata/image.ts';
import type { Counter, Logger, Meter, Sample } from '../platform/ports.ts';
import { silentMeter } from '../platform/silent-meter.ts';
import type { Draft } from './draft.ts';
import { CONTROLLER_METRICS as M } from './metrics.ts';
import {
  ELECTION_KINDS,
  type ElectionKind,
  type PartitionChange,
  partitionChanges,
} from './partition-changes.ts';

/** Tells and counts what the active controller decided, once it is appended. */
export class ControllerEvents {
  readonly #logger: Logger;
  readonly #elections: ReadonlyMap<ElectionKind, Counter>;
  readonly #shrinks: Counter;
  readonly #expansions: Counter;
  readonly #fences: Counter;

  constructor(logger: Logger, meter: Meter = silentMeter) {
    this.#logger = logger;
    this.#elections = new Map(ELECTION_KINDS.map((kind) => [kind, meter.counter(M.elections, kind)]));
    this.#shrinks = meter.counter(M.shrinks);
    this.#expansions = meter.counter(M.expansions);
    this.#fences = meter.counter(M.fences);
  }

  onAppended(draft: Draft): void {
    for (const { fields, message } of draft.notes) this.#logger.info(fields, message);
    for (const record of draft.records) {
      const isFence = record.type === 'BrokerChange' && record.fenced;
      if (isFence && !draft.base.brokers.get(record.brokerId)?.fenced) this.#fences.add();
    }
    for (const change of partitionChanges(draft.base, draft.records)) this.#onChange(draft.image, change);
  }

  #onChange(image: MetadataImage, change: PartitionChange): void {
    const { election, isrShrank, isrGrew, before, after } = change;
    const { topicId, partition, leader, leaderEpoch, isr, elr, partitionEpoch } = after;
    const ids = { topic: image.topics.get(topicId)?.name, topicId, partition };
    if (election) this.#elections.get(election)?.add();
    if (isrShrank) this.#shrinks.add();
    if (isrGrew) this.#expansions.add();
    // Of a new topic's partitions the line of its creation tells.
    if (!before) return;
    const previousLeader = before.leader;
    if (election === 'none') {
      this.#logger.warn({ ...ids, previousLeader, leaderEpoch, isr, elr }, 'A partition lost its leader');
    } else if (election) {
      const elected = { ...ids, leader, previousLeader, leaderEpoch, isr, election };
      this.#logger[election === 'unclean' ? 'warn' : 'info'](elected, 'Elected a leader');
    }
    if (isrShrank || isrGrew) {
      this.#logger.info(
        { ...ids, isr, before: before.isr, elr, leaderEpoch, partitionEpoch },
        'Changed an ISR',
      );
    }
  }
}

/** The cluster as the active controller sees it. */
export function sampleCluster(image: MetadataImage, pendingRequests: number, sample: Sample): void {
  let fenced = 0;
  for (const broker of image.brokers.values()) if (broker.fenced) fenced++;
  let partitions = 0;
  let offline = 0;
  for (const topic of image.topics.values()) {
    partitions += topic.partitions.length;
    for (const { leader } of topic.partitions) if (leader === NO_LEADER) offline++;
  }
  sample(M.brokers, image.brokers.size - fenced, 'active');
  sample(M.brokers, fenced, 'fenced');
  sample(M.topics, image.topics.size);
  sample(M.partitions, partitions);
  sample(M.offline, offline);
  sample(M.pending, pendingRequests);
  sample(M.catalogueLevel, image.catalogueLevel);
}
