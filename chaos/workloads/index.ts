/**
 * What clients do to a cluster during a run. Each workload is one small file, and one line here; how busy each one is, a
 * run draws from its seed. `workload.ts` says what a workload is, `acting.ts` helps with those that act now and then.
 */
import { configs } from './configs.ts';
import { group } from './group.ts';
import { partitions } from './partitions.ts';
import { producers } from './producers.ts';
import { reader } from './reader.ts';
import { topics } from './topics.ts';
import type { WorkloadKind } from './workload.ts';

export const WORKLOADS = [
  producers,
  reader,
  group,
  topics,
  partitions,
  configs,
] as const satisfies readonly WorkloadKind[];
