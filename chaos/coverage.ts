/**
 * What runs reached, so that nobody trusts a generator that never brings about what it is for: the faults that struck, the
 * workloads at work, the situations that the cluster got into (`situations.ts`). Plain counts, which add up over runs and
 * over processes.
 */

/** `fault`: struck for real; `held back`: it could not strike without going too far. */
export type Family = 'fault' | 'held back' | 'workload' | 'situation';

/** By `<family>: <name>`: in one run how often, over many runs in how many of them. */
export type Counts = Readonly<Record<string, number>>;

/** What one run reached. */
export class Coverage {
  readonly #times: Record<string, number> = {};

  note(family: Family, name: string): void {
    const key = `${family}: ${name}`;
    this.#times[key] = (this.#times[key] ?? 0) + 1;
  }

  get counts(): Counts {
    return this.#times;
  }
}

/** How many of some runs reached each thing. */
export class RunsCovered {
  runs = 0;
  readonly #reached: Record<string, number> = {};

  add(run: Counts): void {
    this.merge(1, Object.fromEntries(Object.keys(run).map((key) => [key, 1])));
  }

  /** Takes over what other runs, perhaps of another process, reached. */
  merge(runs: number, reached: Counts): void {
    this.runs += runs;
    for (const [key, count] of Object.entries(reached))
      this.#reached[key] = (this.#reached[key] ?? 0) + count;
  }

  get reached(): Counts {
    return this.#reached;
  }

  /** Which of the expected never happened. */
  missing(expected: readonly string[]): string[] {
    return expected.filter((key) => !this.#reached[key]);
  }

  /** One line each: what, in how many runs, their share. Those that never happened are listed, too. */
  table(expected: readonly string[]): string {
    const keys = [...new Set([...expected, ...Object.keys(this.#reached).sort()])];
    const width = Math.max(0, ...keys.map(({ length }) => length));
    const line = (key: string) => {
      const runs = this.#reached[key] ?? 0;
      const share = this.runs === 0 ? 0 : (100 * runs) / this.runs;
      return `${key.padEnd(width)} ${String(runs).padStart(7)} ${share.toFixed(1).padStart(6)} %`;
    };
    return [
      `${'in how many of the runs'.padEnd(width)} ${String(this.runs).padStart(7)}`,
      ...keys.map(line),
    ].join('\n');
  }
}
