import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PrometheusMeter } from '../../src/platform/prometheus.ts';
import { BufferBudget } from '../../src/transport/buffer-budget.ts';
import { recordingLogger } from './support/recording-logger.ts';

test('beyond the budget the connection that holds most is ended, until the rest fits', async () => {
  const { logger, lines } = recordingLogger();
  const meter = new PrometheusMeter({ monotonicMs: () => 0 });
  const budget = new BufferBudget({ bytesMax: 100, logger, meter });
  const ended: string[] = [];
  const [a, b, c] = ['a', 'b', 'c'].map((remote) => budget.open(remote, () => ended.push(remote)));
  a?.hold(40);
  b?.hold(30);
  c?.hold(30);
  expect(budget.heldBytes).toBe(100);
  b?.hold(31);
  expect(ended).toEqual(['a']);
  expect(budget.heldBytes).toBe(61);
  // One that was ended holds nothing any more, whatever it says while it closes.
  a?.hold(1000);
  a?.close();
  expect(budget.heldBytes).toBe(61);
  c?.hold(1000);
  expect(ended).toEqual(['a', 'c']);
  b?.close();
  expect(budget.heldBytes).toBe(0);
  expect(lines.map(({ fields }) => fields)).toMatchObject([
    { remote: 'a', bytes: 40, heldBytes: 101, connectionBuffersBytesMax: 100 },
    { remote: 'c', bytes: 1000, heldBytes: 1031, connectionBuffersBytesMax: 100 },
  ]);
  a?.hold(7);
  const late = budget.open('late', () => {});
  late.hold(7);
  expect((await meter.scrape()).body.match(/^odradek.*/gm)).toEqual([
    'odradek_connections_ended_total 2',
    'odradek_connection_buffers_bytes 7',
    'odradek_connection_buffers_limit_bytes 100',
  ]);
});

test('whatever connections come, hold and go, the sum is right and never above the limit', () => {
  const step = fc.record({ who: fc.nat(5), bytes: fc.nat(80), closes: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const budget = new BufferBudget({ bytesMax: 100, logger: recordingLogger().logger });
      const held = new Map<number, number>();
      const shares = Array.from({ length: 6 }, (_, who) => budget.open(`${who}`, () => held.set(who, -1)));
      for (const { who, bytes, closes } of steps) {
        if (held.get(who) !== -1) held.set(who, closes ? -1 : bytes);
        if (closes) shares[who]?.close();
        else shares[who]?.hold(bytes);
        const sum = [...held.values()].filter((each) => each > 0).reduce((total, each) => total + each, 0);
        expect(budget.heldBytes).toBe(sum);
        expect(sum).toBeLessThanOrEqual(100);
      }
    }),
  );
});
