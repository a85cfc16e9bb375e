// The flights, straight from the cluster: this page is a consumer like any other, with no gateway in between.
import { json, Odradek, string } from 'odradek';
import { FlightMap } from './map.js';

const TOPIC = 'flights';
const { bootstrap, speed } = await fetch('config.json').then((answer) => answer.json());
const client = new Odradek({ bootstrap, clientId: 'live-flights' });
const admin = client.admin();
const map = await FlightMap.open(document.querySelector('#map'), speed);
const airports = new Map();
const reached = new Map();
let departed = 0;

async function consume() {
  const [{ partitions }] = await admin.describeTopics([TOPIC]);
  const consumer = client.consumer({ key: string, value: json(), autoOffsetReset: 'latest' });
  await consumer.assign(partitions.map(({ partition }) => ({ topic: TOPIC, partition })));
  show('#status', `${partitions.length} partitions, read over WebSockets`);
  for await (const { partition, offset, key: origin, value: flight } of consumer) {
    reached.set(partition, offset + 1);
    departed += 1;
    const airport = airports.get(origin) ?? { departures: 0, delay: 0 };
    airports.set(origin, { departures: airport.departures + 1, delay: airport.delay + flight.delay });
    map.depart(flight);
  }
}

/** Once a second: the numbers, and who leads which partition by now. Kill a node, and watch. */
async function report(before = departed) {
  show('#airborne', map.airborne.toLocaleString('en'));
  show('#departed', departed.toLocaleString('en'));
  show('#rate', (departed - before).toLocaleString('en'));
  show('#clock', map.clock);
  const busiest = [...airports].sort(([, a], [, b]) => b.departures - a.departures).slice(0, 10);
  const most = busiest[0]?.[1].departures ?? 1;
  list('#airports', busiest, ([code, { departures, delay }]) => [
    `${code} ${map.cityOf(code)}`, `${Math.round(delay / departures)} min`, departures / most, map.colorOf(delay / departures),
  ]);
  const [{ partitions }] = await admin.describeTopics([TOPIC]);
  const farthest = Math.max(1, ...reached.values());
  list('#partitions', partitions, ({ partition, leader }) => [
    `${partition}: ${leader === undefined ? 'nobody' : `node ${leader}`}`, (reached.get(partition) ?? 0).toLocaleString('en'),
    (reached.get(partition) ?? 0) / farthest, ['#63b3ed', '#b794f4', '#68d391'][(leader ?? 0) % 3],
  ]);
}

function show(selector, text) {
  document.querySelector(selector).textContent = text;
}

function list(selector, items, rowOf) {
  const rows = items.map((item) => {
    const [left, right, share, tint] = rowOf(item);
    const row = document.createElement('li');
    row.style.cssText = `--share: ${100 * share}%; --tint: ${tint}`;
    row.append(...[left, right].map((text) => Object.assign(document.createElement('span'), { textContent: text })));
    return row;
  });
  document.querySelector(selector).replaceChildren(...rows);
}

consume().catch((error) => show('#status', error.message));
for (let before = departed; ; before = departed) {
  await new Promise((next) => setTimeout(next, 1000));
  await report(before).catch((error) => show('#status', error.message));
}
