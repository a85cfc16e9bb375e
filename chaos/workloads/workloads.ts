import type { MetadataImage } from '../../src/metadata/image.ts';
import type { SimCluster } from '../cluster/sim-cluster.ts';
import type { Plan } from '../plan.ts';
import { Prng } from '../sim/prng.ts';
import type { SimWorld } from '../sim/world.ts';
import { ClientMachine } from './client-machine.ts';
import { WORKLOADS } from './index.ts';
import type { Recorder } from './recorder.ts';
import type { Workload, WorkloadContext, WorkTopic } from './workload.ts';

const DEFAULT_CONFIGS = { 'min.insync.replicas': '2', 'segment.bytes': '4096' };

export interface WorkloadsOptions {
  readonly world: SimWorld;
  readonly cluster: SimCluster;
  readonly recorder: Recorder;
  readonly topic: WorkTopic;
  readonly image: () => MetadataImage;
  readonly mayHaveLost: WorkloadContext['mayHaveLost'];
  readonly onAcknowledged: WorkloadContext['onAcknowledged'];
}

/** The workloads of one run, as busy as its plan says. */
export class Workloads {
  readonly recorder: Recorder;
  readonly topic: WorkTopic;
  readonly #o: WorkloadsOptions;
  readonly #machines = new Map<string, ClientMachine>();
  readonly #running = new Map<string, Workload>();

  constructor(options: WorkloadsOptions) {
    this.#o = options;
    this.topic = options.topic;
    this.recorder = options.recorder;
    this.recorder.isWritten(this.topic.name);
  }

  /** The machines on which clients run. */
  get machineNames(): string[] {
    return [...this.#machines.keys()];
  }

  /** The names of those at work. */
  get running(): string[] {
    return [...this.#running.keys()];
  }

  /** Client processes that may be killed. */
  get killable(): readonly { crash(): void }[] {
    return [...this.#running.values()].flatMap(({ killable }) => killable ?? []);
  }

  machine(name: string): ClientMachine {
    let machine = this.#machines.get(name);
    if (!machine) {
      machine = new ClientMachine(this.#o.world, name, this.#o.cluster.bootstrap);
      this.#machines.set(name, machine);
    }
    return machine;
  }

  async createTopic(): Promise<void> {
    const { name, partitions } = this.topic;
    const admin = this.machine('admin').client().admin({ timeoutMs: 20_000 });
    await admin.createTopic({ name, partitions, replicationFactor: 3, configs: DEFAULT_CONFIGS });
  }

  start({ workloadSeed, pausesMs }: Plan): void {
    const { world, cluster, image, mayHaveLost, onAcknowledged } = this.#o;
    const random = new Prng(`${workloadSeed}`);
    for (const { name, start } of WORKLOADS) {
      const pauseMs = pausesMs[name] ?? 0;
      if (pauseMs === 0) continue;
      const context: WorkloadContext = {
        ...{ world, cluster, image, mayHaveLost, onAcknowledged, pauseMs },
        ...{ recorder: this.recorder, topic: this.topic, random: random.fork(name) },
        machine: (machine) => this.machine(machine),
      };
      this.#running.set(name, start(context));
    }
  }

  stop(): void {
    for (const workload of this.#running.values()) workload.stop();
  }

  waitingFor(): string[] {
    return [...this.#running.values()].flatMap((workload) => workload.waitingFor());
  }

  async lookAtTheEnd(): Promise<void> {
    for (const workload of this.#running.values()) await workload.lookAtTheEnd?.();
  }
}
