import { type Odradek, type Producer, string } from '../../src/client/node.ts';

/** One write that the cluster acknowledged. */
export interface AckedWrite {
  readonly value: string;
  readonly partition: number;
  readonly offset: number;
  readonly atMs: number;
}

const IN_FLIGHT_PER_PARTITION = 2;

/**
 * Writes unique values to every partition of a topic without a pause and remembers each acknowledgement. Each partition
 * has a producer of its own: a request is answered as a whole, and one that carried a partition that waits for the
 * cluster beside one that does not would hold up the latter.
 */
export class AckedWrites {
  readonly acked: AckedWrite[] = [];
  readonly refused: unknown[] = [];
  readonly #producers: readonly Producer<string, string>[];
  readonly #topic: string;
  #nextValue = 0;
  #stopped = false;
  readonly #loops: Promise<void>[];

  constructor(client: Odradek, topic: string, partitions: number) {
    this.#topic = topic;
    this.#producers = Array.from({ length: partitions }, () =>
      client.producer<string, string>({ lingerMs: 0, deliveryTimeoutMs: 30_000 }),
    );
    this.#loops = this.#producers.flatMap((producer, partition) =>
      Array.from({ length: IN_FLIGHT_PER_PARTITION }, () => this.#write(producer, partition)),
    );
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
    await Promise.all(this.#producers.map((producer) => producer.close()));
  }

  async #write(producer: Producer<string, string>, partition: number): Promise<void> {
    while (!this.#stopped) {
      const value = `w${this.#nextValue++}`;
      try {
        const { offset } = await producer.send({ topic: this.#topic, partition, value });
        this.acked.push({ value, partition, offset, atMs: performance.now() });
      } catch (error) {
        this.refused.push(error);
      }
    }
  }
}

/** What is wrong between what was acknowledged and what a fresh reader finds, a line each. */
export async function verifyAcked(
  client: Odradek,
  topic: string,
  writes: AckedWrites,
  partitions: number,
): Promise<string[]> {
  const found = await readAll(client, topic, partitions);
  const problems: string[] = [];
  for (const { value, partition, offset } of writes.acked) {
    const places = found.get(value) ?? [];
    if (places.length === 0) problems.push(`lost: ${value}, acknowledged at ${partition}/${offset}`);
    if (places.length > 1) problems.push(`duplicate: ${value} at ${places.join(' and ')}`);
    if (places.length === 1 && places[0] !== `${partition}/${offset}`) {
      problems.push(`moved: ${value} was acknowledged at ${partition}/${offset} and is at ${places[0]}`);
    }
  }
  return problems;
}

async function readAll(client: Odradek, topic: string, partitions: number): Promise<Map<string, string[]>> {
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  const ends = new Map(
    (await client.admin().listOffsets(all, 'latest')).map(({ partition, offset }) => [partition, offset]),
  );
  const consumer = client.consumer({ from: 'earliest', value: string });
  await consumer.assign(all);
  const found = new Map<string, string[]>();
  const isAtEnd = async () => {
    for (const at of all) if ((await consumer.position(at)) < (ends.get(at.partition) ?? 0)) return false;
    return true;
  };
  while (!(await isAtEnd())) {
    for (const { value, partition, offset } of await consumer.poll(500)) {
      const places = found.get(value ?? '') ?? [];
      places.push(`${partition}/${offset}`);
      found.set(value ?? '', places);
    }
  }
  await consumer.close();
  return found;
}
