import { Departures } from './departures.ts';
import type { Flight } from './flights.ts';

/** What the file says, kept to compare the log and the group's results with. */
export class FlightFacts {
  readonly departures = new Departures();
  readonly #origins: string[] = [];
  readonly #delays: number[] = [];

  get count(): number {
    return this.#origins.length;
  }

  add({ origin, delay }: Flight): void {
    this.departures.add(origin, delay);
    this.#origins.push(origin);
    this.#delays.push(delay);
  }

  /** Whether row `n` of the file has this origin and delay. */
  isRow(n: number, origin: string, delay: number): boolean {
    return this.#origins[n] === origin && this.#delays[n] === delay;
  }
}
