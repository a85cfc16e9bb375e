import { DeliveryError, KafkaError, type Producer, type ProducerOptions } from '../../src/client/index.ts';
import type { Outcome, Send } from '../checker/history.ts';
import type { Prng } from '../sim/prng.ts';
import type { ClientMachine } from './client-machine.ts';
import type { WorkloadContext, WorkTopic } from './workload.ts';

const BURST_MAX = 6;
const VALUE_PADDING_MAX = 120;
const BATCH_BYTES = 600;
const LINGER_MS = 2;

export interface ProducingOptions {
  /** Of its machine. */
  readonly name: string;
  /** The main topic by default. */
  readonly topic?: WorkTopic;
  /** Idempotent, with acks=all, unless told otherwise. */
  readonly producer?: ProducerOptions;
  /** Whether there may be no such topic for a while, so that sends are refused. */
  readonly mayBeMissing?: boolean;
  /** How long it waits until it sends again: about as long as its workload pauses, by default. */
  readonly pause?: () => number;
  /** How many records it sends at once, at most. */
  readonly burstMax?: number;
  /** How many bytes a value has beyond its name. */
  readonly paddingBytes?: (random: Prng) => number;
  /** What the history calls a partition at this moment: `topic-0` by default. */
  readonly partitionName?: (partition: number) => string;
  /** Called with each record as it is sent. */
  readonly onSend?: (send: Omit<Send, 'outcome'>) => void;
  /** What the history is told of a record whose fate is known: all by default. */
  readonly record?: (send: Send) => void;
}

/** A producer that sends bursts, so that several batches are in flight, and never waits. */
export class Producing {
  readonly #context: WorkloadContext;
  readonly #options: ProducingOptions;
  readonly #client: ClientMachine;
  readonly #random: Prng;
  readonly #topic: WorkTopic;
  #producer: Producer;
  #sequence = 0;
  #isStopped = false;
  readonly #pending = new Map<number, Omit<Send, 'outcome'>>();

  constructor(context: WorkloadContext, options: ProducingOptions) {
    this.#context = context;
    this.#options = options;
    this.#client = context.machine(options.name);
    this.#random = context.random.fork(options.name);
    this.#topic = options.topic ?? context.topic;
    context.recorder.isWritten(this.#topic.name);
    this.#producer = this.#connect();
    void this.#run();
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Records whose fate is not known yet. */
  waitingFor(): string[] {
    return [...this.#pending.values()]
      .slice(0, 10)
      .map(
        ({ process, sequence, partition }) => `${process} waits for the fate of ${sequence} on ${partition}`,
      );
  }

  /** Its process is killed, and another takes its machine: nobody learns what became of what was under way. */
  crash(): void {
    this.#client.machine.processCrash();
    for (const send of this.#pending.values()) this.#record({ ...send, outcome: 'unknown' });
    this.#pending.clear();
    this.#client.machine.restart();
    this.#producer = this.#connect();
    void this.#run();
  }

  #connect(): Producer {
    const { producer } = this.#options;
    return this.#client.client().producer({ lingerMs: LINGER_MS, batchBytes: BATCH_BYTES, ...producer });
  }

  async #run(): Promise<void> {
    const pauseMs = () => this.#random.exponential(this.#context.pauseMs);
    const { burstMax = BURST_MAX, pause = pauseMs } = this.#options;
    while (!this.#isStopped) {
      for (let count = this.#random.between(1, burstMax); count > 0; count -= 1) this.#send();
      await this.#client.sleep(pause());
    }
  }

  #send(): void {
    const topic = this.#topic.name;
    const { paddingBytes, partitionName = (index: number) => `${topic}-${index}` } = this.#options;
    const process = this.#client.processName;
    const sequence = this.#sequence++;
    const partition = this.#random.between(0, this.#topic.partitions - 1);
    const padding = paddingBytes?.(this.#random) ?? this.#random.between(0, VALUE_PADDING_MAX);
    const value = `${process}-${sequence}-${'x'.repeat(padding)}`;
    const send = { type: 'send', process, sequence, partition: partitionName(partition), value } as const;
    this.#pending.set(sequence, send);
    this.#options.onSend?.(send);
    const settle = (outcome: Outcome, offset?: number) => {
      this.#pending.delete(sequence);
      this.#record({ ...send, outcome, ...(offset === undefined ? {} : { offset }) });
    };
    this.#producer.send({ topic, partition, value }).then(
      ({ offset }) => {
        // -1: the broker had forgotten where, as it may of a batch that was repeated much later.
        settle('ok', offset < 0 ? undefined : offset);
        if (this.#isAcknowledgedByAll) this.#context.onAcknowledged(topic, partition, offset);
      },
      (error: unknown) => {
        const { mayBeMissing = false } = this.#options;
        const isExpected = error instanceof DeliveryError || (mayBeMissing && error instanceof KafkaError);
        if (!isExpected) this.#context.recorder.unexpected.push(error as Error);
        settle(error instanceof DeliveryError && error.maybeWritten ? 'unknown' : 'failed');
      },
    );
  }

  get #isAcknowledgedByAll(): boolean {
    return (this.#options.producer?.acks ?? 'all') === 'all';
  }

  #record(send: Send): void {
    const { record = (each) => this.#context.recorder.add(each) } = this.#options;
    record(send);
  }
}
