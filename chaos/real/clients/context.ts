import type { Prng } from '../../sim/prng.ts';
import type { Recorder } from '../../workloads/recorder.ts';
import type { Availability } from '../nemesis/availability.ts';

/** What the clients of a run share. */
export interface ClientContext {
  readonly topic: string;
  readonly partitions: number;
  readonly recorder: Recorder;
  readonly availability: Availability;
  readonly random: Prng;
}

export const nameOf = ({ topic, partition }: { readonly topic: string; readonly partition: number }) =>
  `${topic}-${partition}`;
