/**
 * What a page can produce: records of 100 bytes, acks=all, three replicas on three nodes, from Chromium. Run it with
 * `make bench-browser`.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { freeBasePort } from '../../src/cli/cluster/free-ports.ts';
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts';
import { PageServer } from '../../src/cli/live/page-server.ts';
import type * as BrowserClient from '../../src/client/browser.ts';
import { Odradek } from '../../src/client/node.ts';

const TOPIC = 'bench';
const PARTITIONS = 6;
const VALUE_BYTES = 100;
const WARM_UP_RECORDS = 50_000;
const RECORDS = 300_000;
const GOAL_PER_SECOND = 20_000;
const executablePath = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find(existsSync);

if (executablePath === undefined)
  throw new Error('there is no chromium; on Debian, apt-get install chromium');
const dir = mkdtempSync(join(tmpdir(), 'odradek-bench-'));
const pages = await PageServer.listen(0);
const layout = { nodes: 3, basePort: await freeBasePort(3), allowedOrigins: pages.origins };
const cluster = LocalCluster.create(dir, layout);
process.on('exit', () => {
  for (const node of cluster.nodes) node.signal('SIGKILL');
  rmSync(dir, { recursive: true, force: true, maxRetries: 20 });
});
await cluster.up();
const client = new Odradek({ bootstrap: cluster.bootstrap });
await client.admin().createTopic({
  ...{ name: TOPIC, partitions: PARTITIONS, replicationFactor: 3, configs: { 'min.insync.replicas': '2' } },
});
pages.serve({ bootstrap: cluster.bootstrap, speed: 1 });

// Chromium's sandbox does not work for root, and the page is our own.
const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
const browser = await chromium.launch({ executablePath, args });
const page = await browser.newPage();
await page.goto(`${pages.url}/config.json`);
const produce = (records: number) =>
  page.evaluate(
    async ({ records, bootstrap, topic, valueBytes }) => {
      const bundle = '/odradek/odradek.js';
      const { Odradek }: typeof BrowserClient = await import(bundle);
      const client = new Odradek({ bootstrap });
      const producer = client.producer();
      const value = new Uint8Array(valueBytes).fill(120);
      const startMs = performance.now();
      let failed = 0;
      for (let n = 0; n < records; n += 1) {
        if (n % 100 === 0) await producer.ready();
        producer.send({ topic, key: `key ${n % 1000}`, value }).catch(() => {
          failed += 1;
        });
      }
      await producer.flush();
      const seconds = (performance.now() - startMs) / 1000;
      await client.close();
      return { failed, perSecond: Math.round(records / seconds) };
    },
    { records, bootstrap: cluster.bootstrap, topic: TOPIC, valueBytes: VALUE_BYTES },
  );
await produce(WARM_UP_RECORDS);
const { failed, perSecond } = await produce(RECORDS);
await browser.close();
await pages.close();
const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: TOPIC, partition }));
const ends = await client.admin().listOffsets(partitions, 'latest');
const inLog = ends.reduce((sum, { offset }) => sum + offset, 0);
if (failed > 0 || inLog !== WARM_UP_RECORDS + RECORDS)
  throw new Error(`${failed} records failed, ${inLog} are in the log`);
console.log(
  `Chromium produces ${perSecond} records/s of ${VALUE_BYTES} bytes, acks=all, three nodes (goal ${GOAL_PER_SECOND})`,
);
await client.close();
process.exit(perSecond >= GOAL_PER_SECOND ? 0 : 1);
