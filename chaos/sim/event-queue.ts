import type { Incarnation } from './node.ts';

/** One thing that will happen at one virtual moment. */
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
  /** Where it stands in the queue; -1: in none. */
  index: number;
}

/**
 * A binary heap of events by (deadline, id): events of one moment run in the order they were scheduled. Nearly all
 * timers are cancelled long before they are due, so a cancelled event leaves at once: the heap stays as small as the
 * processor's caches, and what it would have run can be collected.
 */
export class EventQueue {
  readonly #heap: SimEvent[] = [];

  get size(): number {
    return this.#heap.length;
  }

  peek(): SimEvent | undefined {
    return this.#heap[0];
  }

  push(event: SimEvent): void {
    this.#heap.push(event);
    this.#rise(event, this.#heap.length - 1);
  }

  pop(): SimEvent | undefined {
    const first = this.#heap[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Takes an event out, if it is still in. */
  remove(event: SimEvent): void {
    const { index } = event;
    if (index < 0) return;
    event.index = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === event) return;
    if (index > 0 && before(last, event)) this.#rise(last, index);
    else this.#sink(last, index);
  }

  /** Puts an event at `index` or above it. */
  #rise(event: SimEvent, at: number): void {
    const heap = this.#heap;
    let index = at;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || !before(event, parent)) break;
      heap[index] = parent;
      parent.index = index;
      index = parentIndex;
    }
    heap[index] = event;
    event.index = index;
  }

  /** Puts an event at `index` or below it. */
  #sink(event: SimEvent, at: number): void {
    const heap = this.#heap;
    let index = at;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = heap[childIndex];
      const right = heap[childIndex + 1];
      if (child !== undefined && right !== undefined && before(right, child)) {
        childIndex += 1;
        child = right;
      }
      if (child === undefined || !before(child, event)) break;
      heap[index] = child;
      child.index = index;
      index = childIndex;
    }
    heap[index] = event;
    event.index = index;
  }
}

function before(left: SimEvent, right: SimEvent): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.id < right.id);
}
