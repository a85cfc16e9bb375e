import { type Consumer, type ConsumerRecord, KafkaError } from '../../src/client/index.ts';

/** Records that a link damaged are fetched again; their reader is told, and asks again. */
export async function pollAgain(
  consumer: Consumer<Uint8Array, string>,
  waitMs: number,
): Promise<ConsumerRecord<Uint8Array, string>[]> {
  try {
    return await consumer.poll(waitMs);
  } catch (error) {
    if (error instanceof KafkaError && error.code === 'CORRUPT_MESSAGE') return [];
    throw error;
  }
}
