import { DeliveryError, type Producer } from '../../src/client/index.ts';
import type { Outcome } from '../checker/history.ts';
import type { Prng } from '../sim/prng.ts';
import type { ClientMachine } from './client-machine.ts';
import type { Recorder } from './recorder.ts';

const PAUSE_MS_MEAN = 60;
const BURST_MAX = 6;
const VALUE_PADDING_MAX = 120;

export interface ProducingOptions {
  readonly client: ClientMachine;
  readonly topic: string;
  readonly random: Prng;
  readonly recorder: Recorder;
  readonly deliveryTimeoutMs: number;
  /** How many partitions there are to send to by now. */
  partitions(): number;
  onAcknowledged(partition: number, offset: number): void;
}

/** An idempotent acks=all producer that sends bursts, so that several batches are in flight, and never waits. */
export class Producing {
  readonly #o: ProducingOptions;
  readonly #producer: Producer;
  #sequence = 0;
  #isStopped = false;
  readonly #pending = new Map<number, string>();

  constructor(options: ProducingOptions) {
    this.#o = options;
    const { client, deliveryTimeoutMs } = options;
    this.#producer = client.client().producer({ lingerMs: 2, batchBytes: 600, deliveryTimeoutMs });
    void this.#run();
  }

  /** Records whose fate is not known yet, as text. */
  get pending(): string[] {
    return [...this.#pending.values()];
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #run(): Promise<void> {
    const { random, client } = this.#o;
    while (!this.#isStopped) {
      for (let count = random.between(1, BURST_MAX); count > 0; count -= 1) this.#send();
      await client.sleep(random.exponential(PAUSE_MS_MEAN));
    }
  }

  #send(): void {
    const { client, topic, random, recorder, partitions, onAcknowledged } = this.#o;
    const process = client.processName;
    const sequence = this.#sequence++;
    const partition = random.between(0, partitions() - 1);
    const value = `${process}-${sequence}-${'x'.repeat(random.between(0, VALUE_PADDING_MAX))}`;
    const send = { type: 'send', process, sequence, partition: `${topic}-${partition}`, value } as const;
    const settle = (outcome: Outcome, offset?: number) => {
      this.#pending.delete(sequence);
      recorder.add({ ...send, outcome, ...(offset === undefined ? {} : { offset }) });
    };
    this.#pending.set(sequence, `${send.partition} ${process}-${sequence}`);
    this.#producer.send({ topic, partition, value }).then(
      ({ offset }) => {
        // -1: the broker had forgotten where, as it may of a batch that was repeated much later.
        settle('ok', offset < 0 ? undefined : offset);
        onAcknowledged(partition, offset);
      },
      (error: unknown) => {
        if (!(error instanceof DeliveryError)) recorder.unexpected.push(error as Error);
        settle(error instanceof DeliveryError && !error.maybeWritten ? 'failed' : 'unknown');
      },
    );
  }
}
