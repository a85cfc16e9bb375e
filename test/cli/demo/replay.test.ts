import { expect, test } from 'vitest';
import { FlightFacts } from '../../../src/cli/demo/flight-facts.ts';
import type { Flight } from '../../../src/cli/demo/flights.ts';
import { type BulkProducer, Replay } from '../../../src/cli/demo/replay.ts';

const flight = (n: number, origin: string): Flight => ({
  n,
  origin,
  destination: 'X',
  dateMs: 0,
  delay: n,
  distance: 0,
});

async function* flights(): AsyncGenerator<Flight[]> {
  yield [flight(0, 'ATL'), flight(1, 'ORD')];
  yield [flight(2, 'ATL')];
}

class FakeProducer {
  readonly lists: { key: string; value: string }[][] = [];
  failWith: Error | undefined;

  async sendMany(records: { key: string; value: string }[]): Promise<never[]> {
    this.lists.push(records);
    if (this.failWith) throw this.failWith;
    return [];
  }

  async ready(): Promise<void> {}
  async flush(): Promise<void> {}
}

test('every flight is sent under its origin, in order, and counted when acknowledged', async () => {
  const producer = new FakeProducer();
  const facts = new FlightFacts();
  const replay = new Replay(producer as unknown as BulkProducer, 't', 6);
  const halfway = replay.reached(2);
  await replay.run(flights(), facts);
  await halfway;
  const sent = producer.lists.flat();
  expect(sent.map(({ key }) => key).sort()).toEqual(['ATL', 'ATL', 'ORD']);
  expect(sent.filter(({ key }) => key === 'ATL').map(({ value }) => JSON.parse(value).n)).toEqual([0, 2]);
  expect(replay.acknowledged).toBe(3);
  expect(facts.departures.total).toBe(3);
});

test('a record that is not delivered fails the replay', async () => {
  const producer = new FakeProducer();
  producer.failWith = new Error('not delivered');
  const replay = new Replay(producer as unknown as BulkProducer, 't', 6);
  await expect(replay.run(flights(), new FlightFacts())).rejects.toThrow('not delivered');
});
