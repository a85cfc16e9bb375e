import { setTimeout as sleep } from 'node:timers/promises';
import { type Admin, json, Odradek, string } from '../../client/node.ts';
import { type Cell, table } from '../output.ts';
import { Departures } from './departures.ts';
import { FlightFacts } from './flight-facts.ts';
import { type Flight, readFlights } from './flights.ts';
import { LogCheck } from './log-check.ts';
import { Replay } from './replay.ts';
import type { Screen } from './screen.ts';
import type { Stage } from './stage.ts';

const TOPIC = 'flights';
const GROUP = 'airports';
const PARTITIONS = 6;
const CONSUMERS = 3;
const BUSIEST = 10;
/** For throughput: large batches, and enough of a buffer that the other nodes stay busy while one is replaced. */
const PRODUCER = { lingerMs: 10, batchBytes: 256 * 1024, bufferBytesMax: 32 * 1024 * 1024 };
const WATCH_MS = 50;
/** Without any progress for this long the demo gives up. */
const STUCK_MS = 60_000;
const PARTITION_LIST = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: TOPIC, partition }));

/**
 * The main job, from an empty cluster to checked results: replay, consume in a group, kill a node and a consumer
 * halfway, compare. @throws Error with every difference found
 */
export async function runDemo(flights: number, stage: Stage, screen: Screen): Promise<void> {
  const { cluster } = stage;
  screen.event('starting three nodes');
  await cluster.up();
  screen.event(`the cluster is up: ${cluster.bootstrap}`);
  await using client = new Odradek({ bootstrap: cluster.bootstrap, clientId: 'demo' });
  const demo = new Demo(flights, stage, screen, client);
  await demo.prepare();
  await demo.replayAndConsume();
  await demo.check();
}

class Demo {
  readonly #flights: number;
  readonly #stage: Stage;
  readonly #screen: Screen;
  readonly #client: Odradek;
  readonly #admin: Admin;
  readonly #facts = new FlightFacts();
  readonly #replay: Replay;
  /** Rejects when a consumer ends by itself. */
  readonly #consumerFailed: Promise<never>;
  #onConsumerFailure: (error: Error) => void = () => {};
  #committed = 0;
  #results = new Departures();
  #endToEndSeconds = 0;

  constructor(flights: number, stage: Stage, screen: Screen, client: Odradek) {
    this.#flights = flights;
    this.#stage = stage;
    this.#screen = screen;
    this.#client = client;
    this.#admin = client.admin();
    this.#replay = new Replay(client.producer(PRODUCER), TOPIC, PARTITIONS);
    this.#consumerFailed = new Promise((_, reject) => {
      this.#onConsumerFailure = reject;
    });
    // Awaited only while consumers matter.
    this.#consumerFailed.catch(() => {});
  }

  /** The topic and the group. */
  async prepare(): Promise<void> {
    await this.#admin.createTopic({
      name: TOPIC,
      partitions: PARTITIONS,
      replicationFactor: 3,
      configs: { 'min.insync.replicas': '2' },
    });
    this.#screen.event(`created topic ${TOPIC}: ${PARTITIONS} partitions, replication factor 3, min ISR 2`);
    for (let number = 1; number <= CONSUMERS; number++) {
      const { bootstrap } = this.#stage.cluster;
      const options = { bootstrap, group: GROUP, topic: TOPIC, name: `consumer ${number}` };
      this.#stage.startConsumer(options, (error) => this.#onConsumerFailure(error));
    }
    await this.#until('every consumer to have its partitions', () => {
      const owned = this.#stage.consumers.flatMap(({ progress }) => progress.partitions);
      return (
        owned.length === PARTITIONS &&
        this.#stage.consumers.every(({ progress }) => progress.partitions.length > 0)
      );
    });
    this.#screen.event(`${CONSUMERS} consumer processes share the partitions in group ${GROUP}`);
  }

  async replayAndConsume(): Promise<void> {
    const { signal, done } = this.#watch();
    const faults = this.#faults();
    try {
      await this.#unlessConsumersFail(
        Promise.all([this.#replay.run(readFlights(this.#flights), this.#facts), faults]),
      );
      this.#screen.event(`all ${this.#facts.count} records are acknowledged`);
      await this.#untilCommitted();
    } finally {
      signal.abort();
      await done;
    }
    this.#endToEndSeconds = (performance.now() - this.#replay.startedMs) / 1000;
    this.#screen.event('the group has consumed and committed all of them');
    await Promise.all(this.#stage.consumers.map((consumer) => consumer.stop()));
  }

  /** The log and the group's results against the file. */
  async check(): Promise<void> {
    this.#screen.event('checking: the whole log is read again and compared with the file');
    const log = await this.#readLog();
    const wrong = [
      ...log.problems(),
      ...this.#facts.departures.differences(this.#results).map((text) => `result of ${text}`),
    ];
    this.#screen.endStatus();
    if (wrong.length > 0) {
      throw new Error(
        `the check found ${wrong.length} differences:\n${wrong.map((line) => `  ${line}`).join('\n')}`,
      );
    }
    this.#screen.event(
      `checked: ${log.records} records in the log, every row of the file exactly once, each airport's in order`,
    );
    this.#screen.event("checked: the group's results equal the totals of the file");
    this.#report();
  }

  /** SIGKILL for one consumer and, halfway, for the node that leads most partitions, which then starts again. */
  async #faults(): Promise<void> {
    await this.#replay.reached(Math.floor(this.#flights / 4));
    this.#killConsumer();
    await this.#replay.reached(Math.floor(this.#flights / 2));
    await this.#killBusiestNode();
  }

  #killConsumer(): void {
    const consumer = this.#stage.consumers[CONSUMERS - 1];
    if (!consumer) return;
    const owned = consumer.progress.partitions.join(' and ');
    consumer.kill();
    this.#screen.event(`SIGKILL ${consumer.name} (pid ${consumer.pid}), which reads partitions ${owned}`);
  }

  async #killBusiestNode(): Promise<void> {
    const { id, led } = await this.#busiestLeader();
    const node = this.#stage.cluster.node(id);
    const { pid } = node;
    await node.end('kill');
    this.#screen.event(`SIGKILL node ${id} (pid ${pid}), which leads ${led} of ${PARTITIONS} partitions`);
    await this.#until('new leaders', async () => (await this.#leaders()).every((leader) => leader !== id));
    this.#screen.event(`the other nodes lead all partitions; starting node ${id} again`);
    await this.#stage.cluster.start(id);
    this.#screen.event(`node ${id} is back`);
  }

  async #busiestLeader(): Promise<{ readonly id: number; readonly led: number }> {
    const led = new Map<number, number>();
    for (const leader of await this.#leaders())
      if (leader !== undefined) led.set(leader, (led.get(leader) ?? 0) + 1);
    const [busiest] = [...led].sort(([, a], [, b]) => b - a);
    if (!busiest) throw new Error(`no partition of ${TOPIC} has a leader`);
    return { id: busiest[0], led: busiest[1] };
  }

  async #leaders(): Promise<(number | undefined)[]> {
    const [topic] = await this.#admin.describeTopics([TOPIC]);
    return topic?.partitions.map(({ leader }) => leader) ?? [];
  }

  /** Resolves once the group has committed the end of every partition; its results are then complete. */
  async #untilCommitted(): Promise<void> {
    const ends = await this.#admin.listOffsets(PARTITION_LIST, 'latest');
    await this.#until('the group to commit everything', async () => {
      const committed = await this.#admin.fetchOffsets(GROUP);
      this.#committed = committed.reduce((sum, { offset }) => sum + offset, 0);
      this.#results = new Departures();
      for (const { metadata } of committed) this.#results.merge(Departures.fromText(metadata ?? ''));
      return ends.every(
        ({ partition, offset }) =>
          offset === 0 || committed.some((each) => each.partition === partition && each.offset === offset),
      );
    });
  }

  async #readLog(): Promise<LogCheck> {
    const check = new LogCheck(this.#facts);
    const ends = await this.#admin.listOffsets(PARTITION_LIST, 'latest');
    let left = ends.reduce((sum, { offset }) => sum + offset, 0);
    await using consumer = this.#client.consumer({
      key: string,
      value: json<Flight>(),
      autoOffsetReset: 'earliest',
      pollRecordsMax: 5000,
    });
    await consumer.assign(PARTITION_LIST);
    let progressMs = performance.now();
    while (left > 0) {
      const records = await consumer.poll();
      for (const { partition, offset, key, value } of records) {
        if (value) check.add(value, { partition, offset, key: key ?? '' });
      }
      left -= records.length;
      if (records.length > 0) progressMs = performance.now();
      else if (performance.now() - progressMs > STUCK_MS)
        throw new Error(`${left} records can't be read from the log`);
      this.#screen.status(`read ${check.records} records`);
    }
    return check;
  }

  /** Keeps the status line going until it is aborted. */
  #watch(): { readonly signal: AbortController; readonly done: Promise<void> } {
    const signal = new AbortController();
    const watch = async () => {
      while (!signal.signal.aborted) {
        this.#screen.status(this.#status());
        await sleep(WATCH_MS);
      }
      this.#screen.endStatus();
    };
    return { signal, done: watch() };
  }

  #status(): string {
    const consumed = this.#stage.consumers.reduce((sum, { progress }) => sum + progress.consumed, 0);
    const waitingMs = this.#replay.unavailability.waitingMs(performance.now());
    const waiting = waitingMs > 200 ? `, some partition waits for ${(waitingMs / 1000).toFixed(1)} s` : '';
    return `${this.#replay.acknowledged} of ${this.#flights} acknowledged, ${consumed} consumed${waiting}`;
  }

  /** Polls a condition, and gives up when neither it nor anything else makes progress. */
  async #until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    let last = '';
    let progressMs = performance.now();
    while (!(await this.#unlessConsumersFail(Promise.resolve(condition())))) {
      const now = this.#progressMark();
      if (now !== last) progressMs = performance.now();
      last = now;
      if (performance.now() - progressMs > STUCK_MS) {
        throw new Error(
          `nothing happened for ${STUCK_MS / 1000} s while waiting for ${what} (${this.#status()})`,
        );
      }
      await sleep(WATCH_MS);
    }
  }

  #progressMark(): string {
    const consumed = this.#stage.consumers.map(({ progress }) => progress.consumed);
    return [this.#replay.acknowledged, this.#committed, ...consumed].join();
  }

  #unlessConsumersFail<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#consumerFailed]);
  }

  #report(): void {
    const rows = this.#results
      .busiest(BUSIEST)
      .map(([origin, { departures, delayTotal, delayWorst }]): Cell[] => [
        origin,
        departures,
        (delayTotal / departures).toFixed(1),
        delayWorst,
      ]);
    const count = this.#facts.count;
    const perSecond = (seconds: number) => Math.round(count / seconds);
    const figures: [string, string][] = [
      ['end to end', `${perSecond(this.#endToEndSeconds)} records/s (${this.#endToEndSeconds.toFixed(1)} s)`],
      [
        'produce alone',
        `${perSecond(this.#replay.seconds)} records/s (${this.#replay.seconds.toFixed(1)} s)`,
      ],
      ['longest unavailability of produce', `${Math.round(this.#replay.unavailability.longestMs)} ms`],
    ];
    this.#screen.print(`\nThe ${BUSIEST} busiest airports of ${count} departures (delays in minutes):\n`);
    this.#screen.print(table(['airport', 'departures', 'mean delay', 'worst delay'], rows));
    this.#screen.print('');
    for (const [name, figure] of figures) this.#screen.print(`${name.padEnd(35)}${figure}`);
  }
}
