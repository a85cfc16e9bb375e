export type Nodes = string | readonly string[];

/** What befalls single directions between nodes, beside what all links share. Faults may overlap, and each ends by itself. */
export class Links {
  /** By direction: what each fault that is on adds. */
  readonly #delays = new Map<string, number[]>();
  readonly #stalls = new Map<string, number>();

  /** What is sent in these directions takes longer; returns what ends it. */
  delay(from: Nodes, to: Nodes, delayMs: number): () => void {
    const pairs = pairsOf(from, to);
    for (const pair of pairs) this.#delays.set(pair, [...(this.#delays.get(pair) ?? []), delayMs]);
    return once(() => {
      for (const pair of pairs) {
        const left = [...(this.#delays.get(pair) ?? [])];
        left.splice(left.indexOf(delayMs), 1);
        if (left.length > 0) this.#delays.set(pair, left);
        else this.#delays.delete(pair);
      }
    });
  }

  /** Whoever receives in these directions does not read: nothing is lost, and buffers fill. Returns what ends it. */
  stall(from: Nodes, to: Nodes): () => void {
    const pairs = pairsOf(from, to);
    for (const pair of pairs) this.#stalls.set(pair, (this.#stalls.get(pair) ?? 0) + 1);
    return once(() => {
      for (const pair of pairs) {
        const left = (this.#stalls.get(pair) ?? 1) - 1;
        if (left > 0) this.#stalls.set(pair, left);
        else this.#stalls.delete(pair);
      }
    });
  }

  delayMs(from: string, to: string): number {
    if (this.#delays.size === 0) return 0;
    return Math.max(0, ...(this.#delays.get(pairOf(from, to)) ?? []));
  }

  isStalled(from: string, to: string): boolean {
    return this.#stalls.size > 0 && this.#stalls.has(pairOf(from, to));
  }
}

export const pairOf = (from: string, to: string): string => `${from}>${to}`;

export function pairsOf(from: Nodes, to: Nodes): string[] {
  const names = (nodes: Nodes) => (typeof nodes === 'string' ? [nodes] : nodes);
  return names(from).flatMap((left) => names(to).map((right) => pairOf(left, right)));
}

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) act();
    isDone = true;
  };
}
