import { setTimeout as sleep } from 'node:timers/promises';
import { DeliveryError, type Odradek, type Producer } from '../../../src/client/node.ts';
import type { Outcome } from '../../checker/history.ts';
import type { Prng } from '../../sim/prng.ts';
import type { ClientContext } from './context.ts';

const PAUSE_MS_MEAN = 25;
const BURST_MAX = 5;
const VALUE_PADDING_MAX = 200;
/** Beyond it a producer waits, like one whose buffer is full. */
const PENDING_MAX = 2000;

/** An idempotent acks=all producer that sends bursts to random partitions, several batches in flight. */
export class RealProducer {
  readonly #name: string;
  readonly #context: ClientContext;
  readonly #random: Prng;
  readonly #producer: Producer;
  readonly #pending = new Map<number, string>();
  readonly #loop: Promise<void>;
  #sequence = 0;
  #isStopped = false;

  constructor(name: string, client: Odradek, context: ClientContext, deliveryTimeoutMs: number) {
    this.#name = name;
    this.#context = context;
    this.#random = context.random.fork(name);
    this.#producer = client.producer({ lingerMs: 2, batchBytes: 2000, deliveryTimeoutMs });
    this.#loop = this.#run();
  }

  /** Records whose fate is not known yet, as text. */
  get pending(): string[] {
    return [...this.#pending.values()];
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      for (let count = this.#random.between(1, BURST_MAX); count > 0; count -= 1) {
        if (this.#pending.size < PENDING_MAX) this.#send();
      }
      await sleep(this.#random.exponential(PAUSE_MS_MEAN));
    }
  }

  #send(): void {
    const { topic, partitions, recorder, availability } = this.#context;
    const sequence = this.#sequence++;
    const partition = this.#random.between(0, partitions - 1);
    const value = `${this.#name}-${sequence}-${'x'.repeat(this.#random.between(0, VALUE_PADDING_MAX))}`;
    const send = {
      type: 'send',
      process: this.#name,
      sequence,
      partition: `${topic}-${partition}`,
      value,
    } as const;
    const settle = (outcome: Outcome, offset?: number) => {
      this.#pending.delete(sequence);
      recorder.add({ ...send, outcome, ...(offset === undefined ? {} : { offset }) });
    };
    this.#pending.set(sequence, `${send.partition} ${this.#name}-${sequence}`);
    this.#producer.send({ topic, partition, value }).then(
      ({ offset }) => {
        // -1: the broker had forgotten where, as it may of a batch that was repeated much later.
        settle('ok', offset < 0 ? undefined : offset);
        availability.produced(partition);
      },
      (error: unknown) => {
        if (!(error instanceof DeliveryError)) recorder.unexpected.push(error as Error);
        settle(error instanceof DeliveryError && !error.maybeWritten ? 'failed' : 'unknown');
      },
    );
  }
}
