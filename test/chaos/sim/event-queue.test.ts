import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventQueue, type SimEvent } from '../../../chaos/sim/event-queue.ts';

const eventAt = (id: number, atMs: number): SimEvent => ({
  ...{ id, label: 'test', detail: '', atMs, owner: undefined },
  ...{ run: () => {}, cancelled: false, index: -1 },
});

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ act: fc.constant('push' as const), atMs: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('pop' as const) }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('remove' as const), which: fc.nat() }) },
);

test('whatever is pushed and removed, events come out by deadline, then in the order they went in', () => {
  const property = fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const queue = new EventQueue();
    const all: SimEvent[] = [];
    const waiting = new Set<SimEvent>();
    for (const each of steps) {
      if (each.act === 'push') {
        const event = eventAt(all.length, each.atMs);
        all.push(event);
        waiting.add(event);
        queue.push(event);
      } else if (each.act === 'pop') {
        const [first] = [...waiting].sort((a, b) => a.atMs - b.atMs || a.id - b.id);
        expect(queue.peek()).toBe(first);
        expect(queue.pop()).toBe(first);
        if (first) waiting.delete(first);
      } else {
        // Also one that is gone already.
        const event = all[each.which % all.length];
        if (event) queue.remove(event);
        if (event) waiting.delete(event);
      }
      expect(queue.size).toBe(waiting.size);
    }
  });
  fc.assert(property, { seed: 1, numRuns: 500 });
});
