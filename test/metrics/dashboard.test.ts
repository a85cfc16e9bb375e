import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Metric } from '../../src/platform/ports.ts';
import { metricCatalogue } from '../../src/server/metric-catalogue.ts';
import { startCluster, type TestCluster } from '../../src/testing/index.ts';
import { dashboardQueries, hasPrometheus, lint, Prometheus } from './support.ts';

const catalogue = new Map(metricCatalogue().map((metric) => [metric.name, metric]));

/** Labels that Prometheus or histograms bring along. */
const FOREIGN_LABELS = ['instance', 'le'];
const OF_HISTOGRAM = /_(bucket|sum|count)$/;

function metricOf(name: string): Metric | undefined {
  const histogram = catalogue.get(name.replace(OF_HISTOGRAM, ''));
  return catalogue.get(name) ?? (histogram?.type === 'histogram' ? histogram : undefined);
}

test('names follow the conventions of Prometheus, and none is declared twice', () => {
  expect(catalogue.size).toBe(metricCatalogue().length);
  for (const { name, type, labels = [], help } of catalogue.values()) {
    expect(name).toMatch(/^(odradek|process|nodejs)_[a-z_]+$/);
    expect(name.endsWith('_total'), name).toBe(type === 'counter');
    if (type === 'histogram') expect(name).toMatch(/_seconds$/);
    for (const label of labels) expect(label).toMatch(/^[a-z_]+$/);
    expect(help.length, name).toBeGreaterThan(4);
  }
});

test('the dashboard asks for metrics and labels that are declared', () => {
  const queries = dashboardQueries();
  expect(queries.length).toBeGreaterThan(70);
  for (const { panel, expr } of queries) {
    const known = new Set(FOREIGN_LABELS);
    const names = expr.match(/\b(?:odradek|process|nodejs)_[a-z_]+/g) ?? [];
    expect(names.length, `${panel}: ${expr}`).toBeGreaterThan(0);
    for (const name of names) {
      const metric = metricOf(name);
      expect(metric, `${panel}: ${name}`).toBeDefined();
      for (const label of metric?.labels ?? []) known.add(label);
    }
    const matched = Array.from(expr.matchAll(/(\w+)=~?"/g), ([, label]) => label);
    const grouped = Array.from(expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g), ([, list = '']) =>
      list.split(',').map((label) => label.trim()),
    );
    for (const label of [...matched, ...grouped.flat()]) expect(known, `${panel}: ${expr}`).toContain(label);
  }
});

/** What makes every panel show something: records, a group, refusals, a page from elsewhere, and a leader that dies. */
async function live(cluster: TestCluster): Promise<void> {
  const client = cluster.client();
  const producer = client.producer();
  const consumer = client.consumer({ group: 'watchers', autoOffsetReset: 'earliest' });
  await consumer.subscribe(['orders']);
  await Promise.all(Array.from({ length: 200 }, (_, n) => producer.send({ topic: 'orders', value: `${n}` })));
  let read = 0;
  while (read < 200) read += (await consumer.poll(1000)).length;
  await consumer.commitSync();
  const leader = cluster.leaderOf('orders');
  await leader.kill();
  await Promise.all(Array.from({ length: 50 }, (_, n) => producer.send({ topic: 'orders', value: `${n}` })));
  await leader.start();
  await cluster.untilHealthy();
  // Last, as counters die with their node.
  await expect(client.admin().createTopic({ name: 'orders', partitions: 1 })).rejects.toThrow();
  const page = new WebSocket(cluster.node(1).url, { origin: 'https://elsewhere.example.org' });
  await new Promise((resolve) => page.once('error', resolve));
  while (read < 250) read += (await consumer.poll(1000)).length;
  await consumer.commitSync();
}

test.skipIf(!hasPrometheus)(
  'every query of the dashboard shows something of a cluster that lives (needs prometheus)',
  async () => {
    await using cluster = await startCluster({
      nodes: 3,
      storage: 'folder',
      topics: [{ name: 'orders', partitions: 3 }],
      config: { limits: { replicaLagTimeMaxMs: 1000 } },
    });
    const prometheus = await Prometheus.start(cluster.nodes.map(({ url }) => url.replace('ws://', '')));
    try {
      await live(cluster);
      const empty = new Map(dashboardQueries().map((query) => [`${query.panel}: ${query.expr}`, query]));
      const deadlineMs = Date.now() + 30_000;
      while (empty.size > 0 && Date.now() < deadlineMs) {
        for (const [key, { expr }] of empty) if ((await prometheus.query(expr)).length > 0) empty.delete(key);
      }
      expect([...empty.keys()]).toEqual([]);
      const scrape = await fetch(`${cluster.node(1).url.replace('ws', 'http')}/metrics`);
      expect(scrape.headers.get('content-type')).toContain('version=0.0.4');
      expect(lint(await scrape.text())).toBe('');
      // Prometheus sees the cluster as it was a scrape ago.
      const total = (expr: string) =>
        expect.poll(async () => (await prometheus.query(expr))[0], { timeout: 20_000, interval: 100 });
      await total('sum(odradek_controller_active)').toBe(1);
      await total('sum(odradek_ready)').toBe(3);
      await total('sum(odradek_controller_partitions)').toBe(3);
      await total('count(count by (partition) (odradek_partition_log_end_offset))').toBe(3);
    } finally {
      await prometheus.stop();
    }
  },
  90_000,
);
