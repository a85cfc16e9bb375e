import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Load, place, type Site } from '../../src/controller/placement.ts';

const spread = (counts: number[]) => Math.max(...counts) - Math.min(...counts);

function countsOf(sites: readonly Site[], placed: readonly (readonly number[])[]) {
  const leaders = sites.map(({ id }) => placed.filter(([leader]) => leader === id).length);
  const replicas = sites.map(({ id }) => placed.filter((ids) => ids.includes(id)).length);
  return { leaders, replicas };
}

const loads = (sites: readonly Site[], numbers: readonly number[]) =>
  new Map<number, Load>(
    sites.map(({ id }, i) => [id, { leaders: numbers[i] ?? 0, replicas: 3 * (numbers[i] ?? 0) }]),
  );

const requests = fc
  .record({
    racks: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }),
    replicationFactor: fc.integer({ min: 1, max: 5 }),
    partitions: fc.integer({ min: 1, max: 40 }),
    start: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    load: fc.array(fc.nat(20), { maxLength: 12 }),
  })
  .map(({ racks, replicationFactor, load, ...rest }) => {
    const sites = racks.flatMap((size, r) =>
      Array.from({ length: size }, (_, i) => ({ id: 10 * i + r, rack: racks.length === 1 ? null : `r${r}` })),
    );
    const equalRacks = racks.every((size) => size === racks[0]);
    return {
      equalRacks,
      racks: racks.length,
      request: {
        ...rest,
        sites,
        replicationFactor: Math.min(replicationFactor, sites.length),
        topicSoFar: [],
        clusterLoad: loads(sites, load),
      },
    };
  });

test('replicas are distinct and on as many racks as there can be; leaders and replicas are even', () => {
  fc.assert(
    fc.property(requests, ({ request, racks, equalRacks }) => {
      const { sites, replicationFactor } = request;
      const placed = place(request);
      expect(placed.length).toBe(request.partitions);
      expect(place(request)).toEqual(placed);
      for (const ids of placed) {
        expect(new Set(ids).size).toBe(replicationFactor);
        const perRack = new Map<string | null, number>();
        for (const id of ids) {
          const rack = sites.find((site) => site.id === id)?.rack ?? null;
          perRack.set(rack, (perRack.get(rack) ?? 0) + 1);
        }
        expect(perRack.size).toBe(Math.min(racks, replicationFactor));
      }
      const { leaders, replicas } = countsOf(sites, placed);
      expect(spread(leaders)).toBeLessThanOrEqual(1);
      if (equalRacks) expect(spread(replicas)).toBeLessThanOrEqual(2);
    }),
    { numRuns: 400 },
  );
});

test('many small topics are even too: what the cluster holds decides between equals', () => {
  const sites = [1, 2, 3, 4, 5].map((id) => ({ id, rack: null }));
  const clusterLoad = loads(sites, []);
  const placed: number[][] = [];
  for (let i = 0; i < 50; i++) {
    const start = (i * 0.37) % 1;
    const [ids] = place({ sites, partitions: 1, replicationFactor: 3, topicSoFar: [], clusterLoad, start });
    if (!ids) throw new Error('nothing placed');
    placed.push(ids);
    ids.forEach((id, at) => {
      const load = clusterLoad.get(id);
      if (!load) throw new Error('no load');
      load.replicas++;
      if (at === 0) load.leaders++;
    });
  }
  const { leaders, replicas } = countsOf(sites, placed);
  expect(spread(leaders)).toBe(0);
  expect(spread(replicas)).toBeLessThanOrEqual(1);
});

test('the leaders of a lost broker go to many others', () => {
  const sites = [1, 2, 3, 4].map((id) => ({ id, rack: null }));
  const placed = place({
    sites,
    partitions: 12,
    replicationFactor: 3,
    topicSoFar: [],
    clusterLoad: new Map(),
    start: 0,
  });
  for (const { id } of sites) {
    const heirs = placed.filter(([leader]) => leader === id).map(([, second]) => second);
    expect(new Set(heirs).size).toBeGreaterThanOrEqual(2);
  }
});
