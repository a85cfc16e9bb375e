// Starts and ends clusters in every way, in a process that does nothing else, and prints what is left after each. Run by
// ../leftovers.test.ts, against what was built.
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { startCluster } from 'odradek/testing';

async function work(cluster) {
  const client = cluster.client();
  await client.producer().send({ topic: 'orders', value: 'one' });
  const consumer = client.consumer({ group: 'readers', autoOffsetReset: 'earliest' });
  consumer.subscribe('orders');
  await consumer.poll(10_000);
}

async function refused(promise, words) {
  const error = await promise.then(
    () => undefined,
    (reason) => reason,
  );
  if (!String(error?.message).includes(words)) throw new Error(`expected "${words}"`, { cause: error });
}

const scenarios = {};
for (const nodes of [1, 3]) {
  for (const storage of ['memory', 'folder']) {
    scenarios[`${nodes} with storage ${storage}, clients open`] = async () => {
      const cluster = await startCluster({ nodes, storage, topics: ['orders'] });
      await work(cluster);
      await cluster.stop();
    };
  }
}

scenarios['nodes paused, killed and stopping'] = async () => {
  const cluster = await startCluster({ nodes: 3, topics: ['orders'] });
  await work(cluster);
  cluster.node(1).pause();
  void cluster.node(2).kill();
  const stopped = cluster.node(3).stop();
  await cluster.stop();
  await stopped;
};

scenarios['a node killed while it starts'] = async () => {
  for (let turns = 0; turns < 20; turns += 1) {
    const cluster = await startCluster({ storage: 'folder' });
    const node = cluster.node(1);
    await node.kill();
    const started = node.start();
    for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    const killed = node.kill();
    await started.catch(() => {});
    await killed;
    await cluster.stop();
  }
};

scenarios['a start that fails'] = async () => {
  for (const storage of ['memory', 'folder']) {
    await refused(startCluster({ nodes: 3, storage, startTimeoutMs: 0 }), 'does not serve after 0 ms');
    await refused(startCluster({ storage, topics: ['bad name'] }), 'bad name');
    await refused(startCluster({ storage, config: { limits: { connectionsMax: 0 } } }), 'connectionsMax');
  }
};

scenarios['a port that was taken meanwhile'] = async () => {
  const cluster = await startCluster();
  const node = cluster.node(1);
  await node.kill();
  const thief = createServer();
  await new Promise((resolve) => thief.listen(Number(new URL(node.url).port), '127.0.0.1', resolve));
  await refused(node.start(), 'EADDRINUSE');
  await new Promise((resolve) => thief.close(resolve));
  await node.start();
  await cluster.stop();
};

/** What keeps a process alive; closed handles are let go of in the next turns of the event loop. */
async function left() {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  const listeners = process.eventNames().flatMap((name) => Array(process.listenerCount(name)).fill(String(name)));
  return [...process.getActiveResourcesInfo().filter((kind) => kind !== 'Immediate'), ...listeners];
}

const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('odradek-testing-'));

// Pipes of the standard streams, and what loads once, are no leftovers.
await scenarios['1 with storage memory, clients open']();
const [before, known] = [await left(), folders()];
for (const [name, scenario] of Object.entries(scenarios)) {
  await scenario();
  const after = await left();
  for (const each of before) if (after.includes(each)) after.splice(after.indexOf(each), 1);
  const newFolders = folders().filter((folder) => !known.includes(folder));
  console.log(JSON.stringify({ name, left: [...after, ...newFolders] }));
}
