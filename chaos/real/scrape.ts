import { startCluster } from '../../src/testing/index.ts';

export interface ScrapeFigures {
  readonly series: number;
  readonly bytes: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  /** CPU time of one scrape, of node and scraper together. */
  readonly cpuMs: number;
  /** The first one, which loads prom-client. */
  readonly firstMs: number;
}

const SCRAPES = 50;

/** How long `/metrics` takes on a node with so many partitions, and a group that has committed on each. */
export async function measureScrape(partitions: number): Promise<ScrapeFigures> {
  await using cluster = await startCluster({ topics: [{ name: 'wide', partitions }] });
  const consumer = cluster.client().consumer({ group: 'group' });
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic: 'wide', partition }));
  consumer.assign(all);
  await consumer.commitSync(all.map((each) => ({ ...each, offset: 0 })));

  const url = `${cluster.node(1).url.replace('ws', 'http')}/metrics`;
  let body = '';
  const scrapeMs = async () => {
    const startedMs = performance.now();
    body = await (await fetch(url)).text();
    return performance.now() - startedMs;
  };
  const firstMs = await scrapeMs();
  const before = process.cpuUsage();
  const tookMs: number[] = [];
  for (let scrape = 0; scrape < SCRAPES; scrape++) tookMs.push(await scrapeMs());
  const { user, system } = process.cpuUsage(before);
  const sorted = tookMs.sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  const series = body.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
  const cpuMs = (user + system) / 1000 / SCRAPES;
  return { series, bytes: body.length, p50Ms: at(0.5), p90Ms: at(0.9), cpuMs, firstMs };
}
