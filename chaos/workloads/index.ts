/**
 * What clients do to a cluster during a run. Each workload is one small file, and one line here; how busy each one is, a
 * run draws from its seed. `workload.ts` says what a workload is, `acting.ts` helps with those that act now and then.
 */
import { bursts } from './bursts.ts';
import { churningGroup } from './churning-group.ts';
import { compressed } from './compressed.ts';
import { configs } from './configs.ts';
import { group } from './group.ts';
import { large } from './large.ts';
import { latestOffsets } from './latest-offsets.ts';
import { offsets } from './offsets.ts';
import { partitions } from './partitions.ts';
import { producers } from './producers.ts';
import { reader } from './reader.ts';
import { recreated } from './recreated.ts';
import { retention } from './retention.ts';
import { topics } from './topics.ts';
import { unsynced } from './unsynced.ts';
import { voters } from './voters.ts';
import { wanderer } from './wanderer.ts';
import { weakAcks } from './weak-acks.ts';
import { wide } from './wide.ts';
import type { WorkloadKind } from './workload.ts';

export const WORKLOADS = [
  producers,
  bursts,
  reader,
  wanderer,
  group,
  churningGroup,
  topics,
  offsets,
  partitions,
  configs,
  latestOffsets,
  compressed,
  large,
  wide,
  weakAcks,
  voters,
  retention,
  recreated,
  unsynced,
] as const satisfies readonly WorkloadKind[];
