import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { freeBasePort } from '../../src/cli/cluster/free-ports.ts';
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts';
import type * as BrowserClient from '../../src/client/browser.ts';
import { type Consumer, type ConsumerRecord, Odradek, string } from '../../src/client/node.ts';
import { chromium, complaintsOf, launch } from './support/chromium.ts';
import { type PageServer, servePages } from './support/page-server.ts';
import { TcpProxy } from './support/tcp-proxy.ts';

/** What the functions that run in a page find there. */
declare global {
  var odradek: typeof BrowserClient;
  var client: BrowserClient.Odradek;
  var member: BrowserClient.Consumer<string, string>;
  var got: string[];
  var producing: {
    stopped: boolean;
    readonly acked: string[];
    readonly failed: string[];
    ended: () => Promise<unknown>;
  };
}

const NODES = 3;
const PARTITIONS = 6;
const CODECS = ['gzip', 'snappy', 'lz4', 'zstd'] as const;
/** A member whose connection ended has this long to come back; then its partitions are given away. */
const HANDOVER_MS_MAX = 5000;

const DEADLINE = { timeout: 30_000, interval: 20 };
const eventually = <T>(read: () => T) => expect.poll(read, DEADLINE);

/** Real processes; the browser reaches each of them through a proxy that can take its network away. */
describe.skipIf(!chromium)('the client in a browser (needs chromium)', () => {
  let dir: string;
  let server: PageServer;
  let cluster: LocalCluster;
  let proxies: TcpProxy[];
  let browser: Browser;
  let node: Odradek;
  let topicCount = 0;
  const closing: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'odradek-browser-'));
    server = await servePages();
    const basePort = await freeBasePort(NODES);
    cluster = LocalCluster.create(dir, { nodes: NODES, basePort, allowedOrigins: [server.origin] });
    await cluster.up();
    proxies = await Promise.all(cluster.nodes.map(({ port }) => TcpProxy.to(port)));
    const rules = cluster.nodes.map(
      ({ port }, index) => `MAP 127.0.0.1:${port} 127.0.0.1:${proxies[index]?.port}`,
    );
    browser = await launch({ rules });
    node = new Odradek({ bootstrap: cluster.bootstrap });
  }, 60_000);

  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  afterAll(async () => {
    await node?.close();
    await browser?.close();
    for (const proxy of proxies ?? []) await proxy.close();
    await server?.close();
    for (const each of cluster?.nodes ?? []) await each.end('kill');
    rmSync(dir, { recursive: true, force: true, maxRetries: 10 });
  }, 60_000);

  /** A tab with a client in it, and what goes wrong there. */
  async function openTab(): Promise<{ page: Page; complaints: string[] }> {
    const context = await browser.newContext();
    closing.push(() => context.close());
    const page = await context.newPage();
    const complaints = complaintsOf(page);
    await page.goto(server.origin);
    await page.waitForFunction(() => globalThis.odradek !== undefined);
    await page.evaluate((bootstrap) => {
      globalThis.client = new globalThis.odradek.Odradek({ bootstrap });
    }, cluster.bootstrap);
    return { page, complaints };
  }

  async function newTopic(partitions = PARTITIONS): Promise<string> {
    topicCount += 1;
    const name = `topic-${topicCount}`;
    const configs = { 'min.insync.replicas': '2' };
    await node.admin().createTopic({ name, partitions, replicationFactor: 3, configs });
    return name;
  }

  /** Joins a group in the page and keeps reading there. */
  const joinInPage = (page: Page, topic: string) =>
    page.evaluate(
      ({ topic }) => {
        const { string } = globalThis.odradek;
        const member = globalThis.client.consumer({
          ...{ group: topic, key: string, value: string, autoOffsetReset: 'earliest' as const },
        });
        member.subscribe(topic);
        globalThis.member = member;
        globalThis.got = [];
        void (async () => {
          for await (const { value } of member) globalThis.got.push(value ?? '');
        })();
      },
      { topic },
    );

  const ownedInPage = (page: Page) =>
    page.evaluate(() => globalThis.member.assignment().map(({ partition }) => partition));
  const gotInPage = (page: Page) => page.evaluate(() => globalThis.got);

  /** Joins the same group here. */
  function joinHere(topic: string): { member: Consumer<string, string>; got: string[] } {
    const member = node.consumer({ group: topic, key: string, value: string, autoOffsetReset: 'earliest' });
    closing.push(() => member.close());
    member.subscribe(topic);
    const got: string[] = [];
    void (async () => {
      for await (const { value } of member) got.push(value ?? '');
    })();
    return { member, got };
  }

  /** One record to each partition, from here. */
  async function sendRound(topic: string, round: string): Promise<string[]> {
    const values = Array.from({ length: PARTITIONS }, (_, partition) => `${round}-${partition}`);
    const producer = node.producer();
    await Promise.all(values.map((value, partition) => producer.send({ topic, partition, value })));
    await producer.close();
    return values;
  }

  /** Everything in a topic, by a fresh reader. */
  async function readAll(topic: string): Promise<ConsumerRecord<string, string>[]> {
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }));
    const ends = await node.admin().listOffsets(partitions, 'latest');
    const count = ends.reduce((sum, { offset }) => sum + offset, 0);
    await using consumer = node.consumer({ key: string, value: string, autoOffsetReset: 'earliest' });
    await consumer.assign(partitions);
    const records: ConsumerRecord<string, string>[] = [];
    while (records.length < count) records.push(...(await consumer.poll()));
    return records;
  }

  test('produces, with keys and headers; each record is durable once its promise resolves', async () => {
    const { page, complaints } = await openTab();
    const topic = await newTopic();
    const sent = await page.evaluate(async (topic) => {
      const producer = globalThis.client.producer();
      const acked = await Promise.all(
        Array.from({ length: 2000 }, (_, n) =>
          producer.send({ topic, key: `key ${n % 50} ÄÖ`, value: `value ${n}`, headers: { n: `${n}` } }),
        ),
      );
      await producer.close();
      return acked.map(
        ({ partition, offset }, n) => `${partition}/${offset} key ${n % 50} ÄÖ value ${n} ${n}`,
      );
    }, topic);
    const read = (await readAll(topic)).map(({ partition, offset, key, value, headers }) => {
      const [header] = headers;
      return `${partition}/${offset} ${key} ${value} ${new TextDecoder().decode(header?.value ?? undefined)}`;
    });
    expect(read.sort()).toEqual(sent.sort());
    expect(complaints).toEqual([]);
  });

  test('large and small messages keep their order', async () => {
    const { page } = await openTab();
    const topic = await newTopic(1);
    const sizes = [10, 700_000, 20, 30_000, 400_000, 5, 300_000, 1];
    const offsets = await page.evaluate(
      async ({ topic, sizes }) => {
        const producer = globalThis.client.producer({ lingerMs: 0 });
        const sent = sizes.map((size) =>
          producer.send({ topic, value: new Uint8Array(size).fill(size % 251) }),
        );
        return (await Promise.all(sent)).map(({ offset }) => offset);
      },
      { topic, sizes },
    );
    expect(offsets).toEqual(sizes.map((_, index) => index));
    await using consumer = node.consumer({ autoOffsetReset: 'earliest' });
    await consumer.assign([{ topic, partition: 0 }]);
    const values: Uint8Array[] = [];
    for await (const { value } of consumer)
      if (values.push(value ?? new Uint8Array()) === sizes.length) break;
    expect(values.map(({ length }) => length)).toEqual(sizes);
    expect(values.every((value) => value.every((byte) => byte === value.length % 251))).toBe(true);
  });

  test('compresses with each codec, loaded when it is first needed, and reads what others compressed', async () => {
    const { page, complaints } = await openTab();
    const topic = await newTopic();
    const chunks: string[] = [];
    page.on('request', (request) => {
      if (request.url().includes('/chunks/')) chunks.push(request.url());
    });
    const text = 'a spool of thread that outlives its household '.repeat(200);
    for (const [n, compression] of CODECS.entries()) {
      await using producer = node.producer({ compression });
      await producer.send({ topic, partition: n, value: `${text}${compression}` });
    }
    expect(chunks).toEqual([]);
    const read = await page.evaluate(
      async ({ topic, codecs, text }) => {
        const { client, odradek } = globalThis;
        for (const [n, compression] of codecs.entries()) {
          const producer = client.producer({ compression });
          await producer.send({ topic, partition: n, value: `${text}${compression}` });
          await producer.close();
        }
        const consumer = client.consumer({
          ...{ key: odradek.string, value: odradek.string, autoOffsetReset: 'earliest' as const },
        });
        await consumer.assign(codecs.map((_, partition) => ({ topic, partition })));
        const values: string[] = [];
        for await (const { value } of consumer) if (values.push(value ?? '') === 2 * codecs.length) break;
        return values;
      },
      { topic, codecs: CODECS, text },
    );
    const sent = CODECS.flatMap((compression) => [`${text}${compression}`, `${text}${compression}`]);
    expect(read.sort()).toEqual([...sent].sort());
    expect((await readAll(topic)).map(({ value }) => value).sort()).toEqual([...sent].sort());
    expect(chunks.length).toBeGreaterThanOrEqual(CODECS.length);
    expect(complaints).toEqual([]);
  });

  test('administers: creates a topic, describes and deletes it', async () => {
    const { page } = await openTab();
    const described = await page.evaluate(async () => {
      const admin = globalThis.client.admin();
      await admin.createTopic({ name: 'made-in-a-browser', partitions: 2 });
      const [topic] = await admin.describeTopics(['made-in-a-browser']);
      await admin.deleteTopics(['made-in-a-browser']);
      return topic?.partitions.length;
    });
    expect(described).toBe(2);
  });

  test('shares a group with a member in Node.js, and hands its partitions over when its tab is closed', async () => {
    const { page } = await openTab();
    const topic = await newTopic();
    const here = joinHere(topic);
    await joinInPage(page, topic);
    await eventually(async () => (await ownedInPage(page)).length).toBe(3);
    await eventually(() => here.member.assignment().length).toBe(3);
    const there = await ownedInPage(page);
    const first = await sendRound(topic, 'first');
    const ofPage = first.filter((_, partition) => there.includes(partition));
    await eventually(async () => (await gotInPage(page)).sort()).toEqual(ofPage);
    await eventually(() => [...here.got, ...ofPage].sort()).toEqual(first);

    const closedMs = performance.now();
    await page.close();
    await expect.poll(() => here.member.assignment().length, { timeout: HANDOVER_MS_MAX }).toBe(PARTITIONS);
    console.info(`A closed tab's partitions moved within ${Math.round(performance.now() - closedMs)} ms`);
    const second = await sendRound(topic, 'second');
    await eventually(() => here.got.filter((value) => second.includes(value)).sort()).toEqual(second);
  });

  test('a leader is killed while the page produces and consumes: nothing is lost, nothing twice', async () => {
    const { page, complaints } = await openTab();
    const topic = await newTopic();
    await joinInPage(page, topic);
    await eventually(async () => (await ownedInPage(page)).length).toBe(PARTITIONS);
    await page.evaluate((topic) => {
      const producer = globalThis.client.producer({ lingerMs: 1 });
      const ended = (): Promise<unknown> => Promise.resolve();
      const state = { stopped: false, acked: [] as string[], failed: [] as string[], ended };
      globalThis.producing = state;
      const produce = async (partition: number) => {
        for (let n = 0; !state.stopped; n += 1) {
          const value = `${partition}:${n}`;
          await producer.send({ topic, partition, value }).then(
            () => state.acked.push(value),
            (error: Error) => state.failed.push(error.message),
          );
        }
      };
      const loops = [0, 1, 2, 3, 4, 5].map(produce);
      state.ended = () => Promise.all(loops);
    }, topic);
    const producing = () =>
      page.evaluate(() => {
        const { acked, failed } = globalThis.producing;
        return { acked: acked.length, failed };
      });
    await eventually(async () => (await producing()).acked).toBeGreaterThan(100);
    const [described] = await node.admin().describeTopics([topic]);
    const leader = described?.partitions[0]?.leader ?? 0;
    const led = described?.partitions.filter((each) => each.leader === leader).length ?? 0;
    expect(led).toBeGreaterThan(0);
    await cluster.node(leader).end('kill');
    await eventually(async () => {
      const [now] = await node.admin().describeTopics([topic]);
      return now?.partitions.every((each) => each.leader !== leader && each.leader !== undefined);
    }).toBe(true);
    const { acked } = await producing();
    await eventually(async () => (await producing()).acked).toBeGreaterThan(acked + 500);
    const all = await page.evaluate(async () => {
      globalThis.producing.stopped = true;
      await globalThis.producing.ended();
      const { acked, failed } = globalThis.producing;
      return { acked, failed };
    });
    expect(all.failed).toEqual([]);
    const read = (await readAll(topic)).map(({ value }) => value ?? '');
    expect([...read].sort()).toEqual(all.acked.sort());
    await eventually(async () => (await gotInPage(page)).length).toBe(read.length);
    expect((await gotInPage(page)).sort()).toEqual(read.sort());
    await cluster.start(leader);
    // The browser itself complains of the connection that broke; the page does not.
    expect(complaints.filter((each) => !each.includes('WebSocket'))).toEqual([]);
  }, 90_000);

  test('the network goes away and comes back: the group does without the page, then with it again', async () => {
    const { page } = await openTab();
    const topic = await newTopic();
    const here = joinHere(topic);
    await joinInPage(page, topic);
    await eventually(async () => (await ownedInPage(page)).length).toBe(3);
    for (const proxy of proxies) proxy.goDown();
    await page.context().setOffline(true);
    await eventually(() => here.member.assignment().length).toBe(PARTITIONS);
    const values = await sendRound(topic, 'meanwhile');
    await eventually(() => [...here.got].sort()).toEqual(values);
    expect(await gotInPage(page)).toEqual([]);
    // A record that the page sends now waits for the network.
    const sending = page.evaluate(async (topic) => {
      const { offset } = await globalThis.client.producer().send({ topic, partition: 0, value: 'kept' });
      return offset;
    }, topic);
    await page.context().setOffline(false);
    for (const proxy of proxies) proxy.comeBack();
    expect(await sending).toBe(1);
    await eventually(async () => (await ownedInPage(page)).length).toBe(3);
    const there = await ownedInPage(page);
    const again = await sendRound(topic, 'again');
    const ofPage = again.filter((_, partition) => there.includes(partition));
    await eventually(async () =>
      (await gotInPage(page)).filter((each) => again.includes(each)).sort(),
    ).toEqual(ofPage);
  }, 120_000);

  test('runs in a worker, whose timers no browser slows down when the page is hidden', async () => {
    const { page } = await openTab();
    const topic = await newTopic(1);
    const offset = await page.evaluate(
      ({ topic, bootstrap, origin }) => {
        const source = `
          import { Odradek, string } from '${origin}/dist/browser/odradek.js';
          const client = new Odradek({ bootstrap: '${bootstrap}' });
          await client.producer().send({ topic: '${topic}', value: 'from a worker' });
          const consumer = client.consumer({ key: string, value: string, autoOffsetReset: 'earliest' });
          await consumer.assign([{ topic: '${topic}', partition: 0 }]);
          for await (const { value } of consumer) postMessage(value);`;
        // The DOM's types are no part of this project.
        const { Worker } = globalThis as unknown as {
          Worker: new (url: string, options: object) => { onmessage: (event: { data: string }) => void };
        };
        return new Promise<string>((resolve) => {
          const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
          new Worker(url, { type: 'module' }).onmessage = ({ data }) => resolve(data);
        });
      },
      { topic, bootstrap: cluster.bootstrap, origin: server.origin },
    );
    expect(offset).toBe('from a worker');
  });

  test('a page of another origin is refused, and told what may be the matter', async () => {
    const other = await servePages();
    closing.push(() => other.close());
    const context = await browser.newContext();
    closing.push(() => context.close());
    const page = await context.newPage();
    await page.goto(other.origin);
    await page.waitForFunction(() => globalThis.odradek !== undefined);
    const message = await page.evaluate(async (bootstrap) => {
      const client = new globalThis.odradek.Odradek({ bootstrap });
      const producer = client.producer({ maxBlockMs: 2000 });
      const error = await producer.send({ topic: 'x', value: 'y' }).then(
        () => undefined,
        (error: Error) => error,
      );
      const messages: string[] = [];
      for (let each: unknown = error; each instanceof Error; each = each.cause) messages.push(each.message);
      return messages.join(' / ');
    }, cluster.bootstrap);
    expect(message).toContain('allowedOrigins');
    expect(cluster.nodes.map((each) => each.logTail(20)).join()).toContain(other.origin);
  });
});
