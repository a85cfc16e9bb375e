import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freeBasePort } from '../../src/cli/cluster/free-ports.ts';
import { askReadiness } from '../../src/cli/cluster/readiness.ts';
import { Odradek } from '../../src/client/node.ts';
import { root } from './support/bin.ts';

// Real processes: what a supervisor does to them, and what it sees.
const POLL_MS = 10;
/** The default of Kubernetes; systemd gives longer. */
const GRACE_PERIOD_MS = 30_000;

let dir = '';
let basePort = 0;
let nodes: Node[] = [];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-stop-'));
  basePort = await freeBasePort(3);
  nodes = [];
});

afterEach(() => {
  for (const node of nodes) node.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true, maxRetries: 10 });
});

interface Ended {
  readonly status: number | null;
  readonly afterMs: number;
}

/** A node as a child of this process, so that its exit status is told. */
class Node {
  readonly id: number;
  readonly ended: Promise<number | null>;
  readonly #child;
  #log = '';

  constructor(
    id: number,
    voters: number,
    settings: readonly string[] = [],
    launcher: readonly string[] = [],
  ) {
    this.id = id;
    const ids = Array.from({ length: voters }, (_, index) => index + 1);
    const sets = [
      ...[`nodeId=${id}`, `dataDir=${join(dir, String(id))}`, `port=${basePort + id}`],
      `voters=${ids.map((each) => `${each}@127.0.0.1:${basePort + each}`).join(',')}`,
      ...[`topicDefaults.replicationFactor=${voters}`, 'topicDefaults.minInsyncReplicas=1', ...settings],
    ].flatMap((setting) => ['--set', setting]);
    const [command = '', ...args] = [
      ...launcher,
      process.execPath,
      join(root, 'bin/odradek'),
      'start',
      ...sets,
    ];
    this.#child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        this.#log += chunk;
      });
    }
    this.ended = new Promise((resolve) => this.#child.on('exit', (status) => resolve(status)));
    nodes.push(this);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** How often a line of its log has this message. */
  logged(message: string): number {
    return this.#log.split(`"msg":"${message}`).length - 1;
  }

  async untilReady(): Promise<void> {
    while (!(await askReadiness('127.0.0.1', basePort + this.id)).ready) await this.#poll();
  }

  async untilLogged(message: string): Promise<void> {
    while (this.logged(message) === 0) await this.#poll();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async stop(): Promise<Ended> {
    const startMs = performance.now();
    this.kill('SIGTERM');
    return { status: await this.ended, afterMs: performance.now() - startMs };
  }

  async #poll(): Promise<void> {
    if (this.#child.exitCode !== null) throw new Error(`node ${this.id} ended:\n${this.#log}`);
    await sleep(POLL_MS);
  }
}

async function startCluster(settings: readonly string[] = []): Promise<void> {
  for (const id of [1, 2, 3]) new Node(id, 3, settings);
  await Promise.all(nodes.map((node) => node.untilReady()));
}

const bootstrap = () => nodes.map(({ id }) => `ws://127.0.0.1:${basePort + id}`).join(',');

/** Produces to every partition until told to stop, and counts. */
async function produce(client: Odradek, topic: string, until: AbortSignal): Promise<number> {
  const producer = client.producer({ lingerMs: 5 });
  const sent: Promise<unknown>[] = [];
  for (let i = 0; !until.aborted; i++) {
    sent.push(producer.send({ topic, key: `k${i}`, value: 'x'.repeat(100) }));
    if (i % 50 === 0) await sleep(1);
  }
  await Promise.all(sent);
  return sent.length;
}

/** Consumes until it has seen as many records as were produced in the end. */
async function consume(client: Odradek, topic: string, count: Promise<number>): Promise<number> {
  const consumer = client.consumer({ group: 'g', autoOffsetReset: 'earliest' });
  consumer.subscribe(topic);
  let total = Number.POSITIVE_INFINITY;
  void count.then((produced) => {
    total = produced;
  });
  let seen = 0;
  while (seen < total) seen += (await consumer.poll(100)).length;
  await consumer.close();
  return seen;
}

test('under load, SIGTERM moves the leaders first, and no client sees an error', async () => {
  await startCluster();
  const client = new Odradek({ bootstrap: bootstrap() });
  const admin = client.admin();
  await admin.createTopic({ name: 't', partitions: 6, configs: { 'min.insync.replicas': '2' } });
  const enough = new AbortController();
  const produced = produce(client, 't', enough.signal);
  const consumed = consume(client, 't', produced);

  const controllerId = (await client.admin().describeQuorum()).leaderId;
  // A follower of the quorum, and then its leader: two of three are not enough for writes, so each comes back first.
  const order = [...nodes]
    .sort((a, b) => Number(a.id === controllerId) - Number(b.id === controllerId))
    .slice(1);
  for (const node of order) {
    const { status, afterMs } = await node.stop();
    expect({ id: node.id, status }).toEqual({ id: node.id, status: 0 });
    expect(afterMs).toBeLessThan(GRACE_PERIOD_MS);
    expect(node.logged('Stopped')).toBe(1);
    expect(node.logged('Controlled shutdown timed out')).toBe(0);
    const again = new Node(node.id, 3);
    await again.untilReady();
  }
  const handedOver = nodes.reduce((sum, node) => sum + node.logged('Ended the controlled shutdown'), 0);
  expect(handedOver).toBe(order.length);
  enough.abort();
  expect(await consumed).toBe(await produced);
  await client.close();
}, 120_000);

test('a node whose controller does not answer stops within its timeout', async () => {
  const timeoutMs = 1000;
  await startCluster([`limits.controlledShutdownTimeoutMs=${timeoutMs}`]);
  const [first, ...others] = nodes;
  for (const node of others) node.kill('SIGSTOP');
  const { status, afterMs } = (await first?.stop()) ?? {};
  expect(status).toBe(0);
  expect(afterMs).toBeGreaterThan(timeoutMs * 0.9);
  expect(afterMs).toBeLessThan(timeoutMs + 5000);
});

test('a second signal ends a node that is still stopping', async () => {
  await startCluster(['limits.controlledShutdownTimeoutMs=600000']);
  const [first, ...others] = nodes;
  for (const node of others) node.kill('SIGSTOP');
  first?.kill('SIGTERM');
  await first?.untilLogged('Stopping');
  first?.kill('SIGTERM');
  expect(await first?.ended).toBe(143);
});

test('a node that still waits for the other voters stops, too', async () => {
  const node = new Node(1, 3);
  await node.untilLogged('Listening');
  expect(await node.stop()).toMatchObject({ status: 0 });
});

const unshare = ['unshare', '--pid', '--fork', '--kill-child'];
const canUnshare = await new Promise<boolean>((resolve) => {
  const child = spawn('unshare', [...unshare.slice(1), 'true'], { stdio: 'ignore' });
  child.on('error', () => resolve(false));
  child.on('exit', (status) => resolve(status === 0));
});

test.skipIf(!canUnshare)('process 1 of a container stops on SIGTERM (needs unshare)', async () => {
  const node = new Node(1, 1, [], unshare);
  await node.untilReady();
  const [pid] = readFileSync(`/proc/${node.pid}/task/${node.pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .map(Number);
  process.kill(pid ?? 0, 'SIGTERM');
  expect(await node.ended).toBe(0);
  expect(node.logged('Stopped')).toBe(1);
});
