import type { Incarnation } from './node.ts';

/** One thing that will happen at one virtual moment. Cancelled events stay queued and are skipped. */
export interface SimEvent {
  readonly id: number;
  /** What happens, in a text that many events share, and what or whom it happens to. */
  readonly label: string;
  readonly detail: string;
  readonly atMs: number;
  /** The incarnation of the node that it happens to; nothing happens once that is gone. */
  readonly owner: Incarnation | undefined;
  readonly run: () => void;
  cancelled: boolean;
}

/** A binary heap of events by (deadline, id): events of one moment run in the order they were scheduled. */
export class EventQueue {
  readonly #heap: SimEvent[] = [];

  get size(): number {
    return this.#heap.length;
  }

  peek(): SimEvent | undefined {
    return this.#heap[0];
  }

  push(event: SimEvent): void {
    const heap = this.#heap;
    let index = heap.push(event) - 1;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || !before(event, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = event;
  }

  pop(): SimEvent | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || first === last) return first;
    let index = 0;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = heap[childIndex];
      const right = heap[childIndex + 1];
      if (child !== undefined && right !== undefined && before(right, child)) {
        childIndex += 1;
        child = right;
      }
      if (child === undefined || !before(child, last)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = last;
    return first;
  }
}

function before(left: SimEvent, right: SimEvent): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.id < right.id);
}
