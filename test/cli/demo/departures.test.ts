import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Departures } from '../../../src/cli/demo/departures.ts';
import { readFlights } from '../../../src/cli/demo/flights.ts';

const rows = fc.array(
  fc.tuple(fc.constantFrom('ATL', 'ORD', 'LAX', 'DFW'), fc.integer({ min: -60, max: 1500 })),
);

const of = (list: [string, number][]) => {
  const departures = new Departures();
  for (const [origin, delay] of list) departures.add(origin, delay);
  return departures;
};

test('split anywhere, saved as text and merged, the result is that of the whole', () => {
  fc.assert(
    fc.property(rows, fc.nat(), (list, cut) => {
      const at = cut % (list.length + 1);
      const merged = Departures.fromText(of(list.slice(0, at)).toText());
      merged.merge(Departures.fromText(of(list.slice(at)).toText()));
      expect(of(list).differences(merged)).toEqual([]);
      expect(merged.total).toBe(list.length);
    }),
  );
});

test('a difference is told', () => {
  expect(of([['ATL', 5]]).differences(of([['ATL', 6]]))).toHaveLength(1);
  expect(of([['ATL', 5]]).differences(of([]))).toHaveLength(1);
});

test('flights are read in the order of the file', async () => {
  const flights = [];
  for await (const chunk of readFlights(26_000)) flights.push(...chunk);
  expect(flights).toHaveLength(26_000);
  expect(flights.every((flight, index) => flight.n === index)).toBe(true);
  expect(flights[0]).toEqual({
    n: 0,
    origin: 'LAS',
    destination: 'PHL',
    dateMs: Date.UTC(2001, 0, 1, 0, 1),
    delay: 33,
    distance: 2176,
  });
});
