import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AirportConsumer, type FlightConsumer } from '../../../src/cli/demo/airport-consumer.ts';
import { Departures } from '../../../src/cli/demo/departures.ts';
import type { Flight } from '../../../src/cli/demo/flights.ts';
import type {
  ConsumerRecord,
  PartitionOffset,
  RebalanceListener,
  TopicPartition,
} from '../../../src/client/node.ts';

type Script = readonly ('poll' | 'die' | 'hand over' | 'lose')[];

const ORIGINS = ['ATL', 'ORD', 'LAX'];
const flight = (n: number): Flight => ({
  n,
  origin: ORIGINS[n % ORIGINS.length] ?? '',
  destination: 'X',
  dateMs: 0,
  delay: (n * 7) % 50,
  distance: 0,
});

/** One partition's log and what its group has committed; members come and go, one at a time. */
class FakeGroup {
  committed: PartitionOffset | undefined;
  readonly #records: number;

  constructor(records: number) {
    this.#records = records;
  }

  get isDone(): boolean {
    return this.committed?.offset === this.#records;
  }

  /** A member that acts out a script: it ends by itself when it dies or has given its partition up. */
  member(script: Script, end: AbortController): FlightConsumer {
    const partition = [{ topic: 't', partition: 0 }];
    const turns = [...script];
    let listener: RebalanceListener = {};
    let position = 0;
    let isAssigned = false;
    let isDead = false;
    return {
      subscribe: (_topics: unknown, given: RebalanceListener = {}) => {
        listener = given;
      },
      seek: ({ offset }: PartitionOffset) => {
        position = offset;
      },
      committed: async (_partitions: readonly TopicPartition[]) => [this.committed],
      commitSync: async (offsets: readonly PartitionOffset[] = []) => {
        if (isDead) throw new Error('fenced');
        this.committed = offsets[0];
      },
      poll: async (): Promise<ConsumerRecord<string, Flight>[]> => {
        if (!isAssigned) {
          await listener.onAssigned?.(partition);
          isAssigned = true;
        }
        const turn = turns.shift() ?? 'hand over';
        if (turn === 'die' || turn === 'lose') {
          isDead = true;
          if (turn === 'lose') await listener.onLost?.(partition);
        }
        if (turn === 'hand over') await listener.onRevoked?.(partition);
        if (turn !== 'poll') {
          end.abort();
          return [];
        }
        const from = position;
        position = Math.min(this.#records, from + 3);
        return Array.from({ length: position - from }, (_, index) => ({
          topic: 't',
          partition: 0,
          offset: from + index,
          timestamp: 0,
          key: null,
          value: flight(from + index),
          headers: [],
          leaderEpoch: 0,
        }));
      },
    } as FlightConsumer;
  }
}

test('whenever members die, are fenced or hand over, the committed result is exact', async () => {
  const turn = fc.constantFrom(
    'poll' as const,
    'poll' as const,
    'poll' as const,
    'die' as const,
    'lose' as const,
    'hand over' as const,
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(turn), { maxLength: 6 }),
      fc.integer({ min: 1, max: 20 }),
      async (scripts, records) => {
        const group = new FakeGroup(records);
        // In the end a member that reads it all.
        for (const script of [...scripts, Array.from({ length: 10 }, () => 'poll' as const)]) {
          const end = new AbortController();
          // A dead member's last commit is refused, which is nobody's concern here.
          await new AirportConsumer(group.member(script, end)).run('t', end.signal, () => {}).catch(() => {});
          const upTo = new Departures();
          for (let n = 0; n < (group.committed?.offset ?? 0); n++)
            upTo.add(flight(n).origin, flight(n).delay);
          expect(upTo.differences(Departures.fromText(group.committed?.metadata ?? ''))).toEqual([]);
        }
        expect(group.isDone).toBe(true);
      },
    ),
  );
});
