import type { MetadataImage } from '../../src/metadata/image.ts';
import type { SimCluster } from '../cluster/sim-cluster.ts';
import type { Prng } from '../sim/prng.ts';
import type { SimWorld } from '../sim/world.ts';
import type { ClientMachine } from './client-machine.ts';
import type { Recorder } from './recorder.ts';

/** A topic that clients work on. */
export interface WorkTopic {
  readonly name: string;
  /** Those that are known to exist; they may become more. */
  partitions: number;
}

/** What a workload works with. */
export interface WorkloadContext {
  readonly world: SimWorld;
  readonly cluster: SimCluster;
  /** This workload's own stream of chance. */
  readonly random: Prng;
  readonly recorder: Recorder;
  /** The topic that most clients work on. */
  readonly topic: WorkTopic;
  /** The mean pause between two acts. */
  readonly pauseMs: number;
  /** The newest committed metadata, whoever knows of it. */
  image(): MetadataImage;
  /** A machine for clients, the same for the same name. */
  machine(name: string): ClientMachine;
  /** Whether acknowledged records of a partition may be gone: with `flush=os`, after the power took every copy. */
  mayHaveLost(topic: string, partition: number): boolean;
  /** A producer was told that everything up to this record is safe. */
  onAcknowledged(topic: string, partition: number, offset: number): void;
}

/** Clients at work during a run; everything they do and see is recorded. */
export interface Workload {
  /** No new act begins from now on; what is under way goes on. */
  stop(): void;
  /** What it still waits for; nothing once a healed cluster has served it. */
  waitingFor(): string[];
  /** A last look, once the healed cluster is at rest. */
  lookAtTheEnd?(): Promise<void>;
  /** Processes that a fault may kill; each comes back by itself. */
  readonly killable?: readonly { crash(): void }[];
}

/** One kind of work. To add one: a file like its neighbours, and its line in `index.ts`. */
export interface WorkloadKind {
  readonly name: string;
  /** The mean pauses between two acts that a run draws from; 0: it does not run. */
  readonly pausesMs: readonly number[];
  start(context: WorkloadContext): Workload;
}

/** A part of a workload, whose process may be killed if it says how. */
export type Part = Workload & { crash?(): void };

/** Several clients as one workload. */
export function together(parts: readonly Part[]): Workload {
  return {
    stop: () => {
      for (const part of parts) part.stop();
    },
    waitingFor: () => parts.flatMap((part) => part.waitingFor()),
    get killable() {
      return parts.flatMap((part) => [
        ...(part.killable ?? []),
        ...(part.crash ? [{ crash: () => part.crash?.() }] : []),
      ]);
    },
  };
}
