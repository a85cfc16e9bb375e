/** What the demo computes of one airport. Sums, so that two of them merge; the mean is derived. */
export interface AirportDepartures {
  departures: number;
  delayTotal: number;
  delayWorst: number;
}

/**
 * Departures by airport. Its text form travels as the metadata of a committed offset: the result of all records
 * before an offset and that offset become durable in one step, so whoever takes over a partition continues exactly.
 */
export class Departures {
  readonly airports = new Map<string, AirportDepartures>();

  add(origin: string, delay: number): void {
    const airport = this.airports.get(origin);
    if (!airport) {
      this.airports.set(origin, { departures: 1, delayTotal: delay, delayWorst: delay });
      return;
    }
    airport.departures++;
    airport.delayTotal += delay;
    if (delay > airport.delayWorst) airport.delayWorst = delay;
  }

  merge(other: Departures): void {
    for (const [origin, theirs] of other.airports) {
      const mine = this.airports.get(origin);
      if (!mine) {
        this.airports.set(origin, { ...theirs });
        continue;
      }
      mine.departures += theirs.departures;
      mine.delayTotal += theirs.delayTotal;
      mine.delayWorst = Math.max(mine.delayWorst, theirs.delayWorst);
    }
  }

  get total(): number {
    let total = 0;
    for (const airport of this.airports.values()) total += airport.departures;
    return total;
  }

  busiest(count: number): [origin: string, airport: AirportDepartures][] {
    return [...this.airports].sort(([, a], [, b]) => b.departures - a.departures).slice(0, count);
  }

  /** Each airport in which the two differ, as a line for a person. */
  differences(other: Departures): string[] {
    const origins = new Set([...this.airports.keys(), ...other.airports.keys()]);
    return [...origins].sort().flatMap((origin) => {
      const mine = JSON.stringify(this.airports.get(origin));
      const theirs = JSON.stringify(other.airports.get(origin));
      return mine === theirs ? [] : [`${origin}: expected ${mine}, got ${theirs}`];
    });
  }

  toText(): string {
    return [...this.airports]
      .map(([origin, a]) => `${origin} ${a.departures} ${a.delayTotal} ${a.delayWorst}`)
      .join(';');
  }

  static fromText(text: string): Departures {
    const result = new Departures();
    for (const row of text.split(';')) {
      const [origin, departures, delayTotal, delayWorst] = row.split(' ');
      if (!origin) continue;
      result.airports.set(origin, {
        departures: Number(departures),
        delayTotal: Number(delayTotal),
        delayWorst: Number(delayWorst),
      });
    }
    return result;
  }
}
