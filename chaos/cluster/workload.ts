import { type Admin, ClientError, KafkaError } from '../../src/client/index.ts';
import { PARTITIONS } from '../schedule.ts';
import type { Prng } from '../sim/prng.ts';
import type { SimWorld } from '../sim/world.ts';
import { ClientMachine } from './client-machine.ts';
import { GroupMember } from './group-member.ts';
import { Producing } from './producing.ts';
import { Reading } from './reading.ts';
import { Recorder } from './recorder.ts';

export const TOPIC = 'main';
const PARTITIONS_MAX = 5;
/** One producer gives up while faults last, the other outlives them. */
const DELIVERY_TIMEOUTS_MS = [8_000, 120_000];
const MEMBERS = 2;
const DEFAULT_CONFIGS = { 'min.insync.replicas': '2', 'segment.bytes': '4096' };

/** What clients do to a cluster during a run, all of it recorded. */
export class Workload {
  readonly recorder = new Recorder();
  readonly machineNames: readonly string[];
  readonly #world: SimWorld;
  readonly #bootstrap: readonly string[];
  readonly #random: Prng;
  readonly #onAcknowledged: (partition: number, offset: number) => void;
  readonly #admin: Admin;
  readonly #producers: Producing[] = [];
  readonly #readers: Reading[] = [];
  readonly #members: GroupMember[] = [];
  #partitions = PARTITIONS;
  #sideTopics = 0;

  constructor(
    world: SimWorld,
    bootstrap: readonly string[],
    onAcknowledged: (topic: string, partition: number, offset: number) => void,
  ) {
    this.#world = world;
    this.#bootstrap = bootstrap;
    this.#random = world.random.fork('workload');
    this.#onAcknowledged = (partition, offset) => onAcknowledged(TOPIC, partition, offset);
    this.machineNames = ['admin', 'p0', 'p1', 'r0', 'm0', 'm1'];
    this.#admin = this.machine('admin').client().admin({ timeoutMs: 20_000 });
  }

  machine(name: string): ClientMachine {
    return new ClientMachine(this.#world, name, this.#bootstrap);
  }

  /** The partitions of the topic that are known to exist. */
  get partitions(): number {
    return this.#partitions;
  }

  get members(): readonly GroupMember[] {
    return this.#members;
  }

  /** Sends whose fate is open. */
  get pendingSends(): string[] {
    return this.#producers.flatMap(({ pending }) => pending);
  }

  async createTopic(): Promise<void> {
    await this.#admin.createTopic({
      name: TOPIC,
      partitions: PARTITIONS,
      replicationFactor: 3,
      configs: DEFAULT_CONFIGS,
    });
  }

  start(): void {
    for (const [index, deliveryTimeoutMs] of DELIVERY_TIMEOUTS_MS.entries()) {
      const name = `p${index}`;
      const producing = new Producing({
        client: this.machine(name),
        topic: TOPIC,
        random: this.#random.fork(name),
        recorder: this.recorder,
        deliveryTimeoutMs,
        partitions: () => this.#partitions,
        onAcknowledged: this.#onAcknowledged,
      });
      this.#producers.push(producing);
    }
    this.#readers.push(new Reading(this.machine('r0'), TOPIC, PARTITIONS, this.recorder));
    for (let index = 0; index < MEMBERS; index += 1) this.#members.push(this.#member(index));
  }

  stopProducing(): void {
    for (const producing of this.#producers) producing.stop();
  }

  killMember(index: number): void {
    this.#members[index]?.crash();
    this.machine(`m${index}`).machine.restart();
    this.#members[index] = this.#member(index);
  }

  /** Starts an act whose outcome nobody waits for: it may take until the faults are over. */
  administer(act: 'create' | 'delete' | 'alter' | 'grow'): void {
    this.#administer(act).catch((error: unknown) => {
      if (!(error instanceof KafkaError) && !(error instanceof ClientError))
        this.recorder.unexpected.push(error as Error);
    });
  }

  async #administer(act: 'create' | 'delete' | 'alter' | 'grow'): Promise<void> {
    const admin = this.#admin;
    switch (act) {
      case 'create':
        this.#sideTopics += 1;
        await admin.createTopic({ name: `side-${this.#sideTopics}`, partitions: 2, replicationFactor: 2 });
        return;
      case 'delete':
        if (this.#sideTopics > 0) await admin.deleteTopics([`side-${this.#sideTopics}`]);
        return;
      case 'alter':
        await admin.alterConfigs(TOPIC, { 'segment.bytes': String(this.#random.between(2048, 16_384)) });
        return;
      case 'grow': {
        const partitions = Math.min(PARTITIONS_MAX, this.#partitions + 1);
        if (partitions > this.#partitions) await admin.createPartitions(TOPIC, partitions);
        this.#partitions = Math.max(partitions, this.#partitions);
      }
    }
  }

  #member(index: number): GroupMember {
    const client = this.machine(`m${index}`);
    const random = this.#random.fork(client.processName);
    return new GroupMember(client, TOPIC, this.recorder, random, () => this.#world.nowMs);
  }
}
