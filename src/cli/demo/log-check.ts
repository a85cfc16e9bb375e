import type { FlightFacts } from './flight-facts.ts';
import type { Flight } from './flights.ts';

/** Where a record stood in the log. */
export interface LogPlace {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
}

const PROBLEMS_MAX = 20;

/** Reads a whole log against the file: every row exactly once, under its key, and the rows of a key in order. */
export class LogCheck {
  readonly #facts: FlightFacts;
  readonly #seen: Uint8Array;
  readonly #lastOfKey = new Map<string, { readonly n: number; readonly partition: number }>();
  readonly #problems: string[] = [];
  #problemCount = 0;
  #records = 0;

  constructor(facts: FlightFacts) {
    this.#facts = facts;
    this.#seen = new Uint8Array(facts.count);
  }

  get records(): number {
    return this.#records;
  }

  add(flight: Pick<Flight, 'n' | 'origin' | 'delay'>, { partition, offset, key }: LogPlace): void {
    this.#records++;
    const { n } = flight;
    const where = `partition ${partition} offset ${offset}`;
    if (key !== flight.origin || !this.#facts.isRow(n, flight.origin, flight.delay)) {
      this.#problem(`${where}: ${JSON.stringify(flight)} under key ${key} is not a row of the file`);
      return;
    }
    if (this.#seen[n] === 1) this.#problem(`${where}: row ${n} is there twice`);
    this.#seen[n] = 1;
    const last = this.#lastOfKey.get(key);
    if (last && last.n > n) this.#problem(`${where}: row ${n} of ${key} comes after its row ${last.n}`);
    if (last && last.partition !== partition) {
      this.#problem(`${where}: ${key} is in partition ${last.partition} too`);
    }
    this.#lastOfKey.set(key, { n, partition });
  }

  /** What is wrong, a line each; nothing when all is well. */
  problems(): string[] {
    const problems = [...this.#problems];
    if (this.#problemCount > problems.length)
      problems.push(`... and ${this.#problemCount - problems.length} more`);
    const missing: number[] = [];
    this.#seen.forEach((seen, n) => {
      if (seen === 0) missing.push(n);
    });
    if (missing.length > 0) {
      const some = missing.slice(0, PROBLEMS_MAX).join(', ');
      problems.push(
        `${missing.length} rows are missing: ${some}${missing.length > PROBLEMS_MAX ? ', ...' : ''}`,
      );
    }
    return problems;
  }

  #problem(text: string): void {
    this.#problemCount++;
    if (this.#problems.length < PROBLEMS_MAX) this.#problems.push(text);
  }
}
