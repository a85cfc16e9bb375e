import { setTimeout as sleep } from 'node:timers/promises';
import type { Producer } from '../../client/node.ts';
import { type Flight, readFlights } from '../demo/flights.ts';

const TICK_MS = 50;
/** Before five in the morning hardly anybody departs. */
const FIRST_HOUR_MS = 5 * 3_600_000;
const FLIGHTS_MAX = 3_000_000;

export interface BoardOptions {
  readonly producer: Pick<Producer, 'sendMany' | 'ready'>;
  readonly topic: string;
  /** How many times faster than life. */
  readonly speed: number;
  readonly signal: AbortSignal;
  readonly onFailure: (error: Error) => void;
}

/** Sends each flight when its time comes, on a clock that runs `speed` times faster; again from the start at the end. */
export async function replayDepartures(options: BoardOptions): Promise<void> {
  while (!options.signal.aborted) await replayOnce(options);
}

async function replayOnce({ producer, topic, speed, signal, onFailure }: BoardOptions): Promise<void> {
  let startMs: number | undefined;
  let clockMs = 0;
  for await (const flights of readFlights(FLIGHTS_MAX)) {
    const firstMs = (flights[0]?.dateMs ?? 0) + FIRST_HOUR_MS;
    const queue = startMs === undefined ? flights.filter(({ dateMs }) => dateMs >= firstMs) : flights;
    if (startMs === undefined) {
      startMs = performance.now();
      clockMs = queue[0]?.dateMs ?? 0;
    }
    for (let next = 0; next < queue.length && !signal.aborted; ) {
      const nowMs = clockMs + (performance.now() - startMs) * speed;
      const later = queue.findIndex(({ dateMs }, index) => index >= next && dateMs > nowMs);
      const end = later < 0 ? queue.length : later;
      if (end > next) {
        await producer.ready();
        void producer
          .sendMany(queue.slice(next, end).map((flight) => recordOf(topic, flight)))
          .catch(onFailure);
      }
      next = end;
      await sleep(TICK_MS);
    }
    if (signal.aborted) return;
  }
}

const recordOf = (topic: string, flight: Flight) => ({
  topic,
  key: flight.origin,
  value: JSON.stringify(flight),
});
