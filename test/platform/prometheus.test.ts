import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Metric } from '../../src/platform/ports.ts';
import { PrometheusMeter } from '../../src/platform/prometheus.ts';

const clock = { monotonicMs: () => 0 };
const SIZE: Metric = { name: 'size', type: 'gauge', labels: ['topic', 'partition'], help: 'Bytes' };
const COUNT: Metric = { name: 'count', type: 'gauge', help: 'How many' };

const linesOf = (body: string) => body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

test('each scrape shows the series of its moment, whichever came, went and moved since the last', async () => {
  const series = fc.uniqueArray(
    fc.record({ topic: fc.constantFrom('a', 'b', 'q"\\\n'), partition: fc.nat(4), value: fc.integer() }),
    { selector: ({ topic, partition }) => `${topic} ${partition}`, maxLength: 8 },
  );
  const escaped = (text: string) =>
    text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
  await fc.assert(
    fc.asyncProperty(fc.array(series, { maxLength: 6 }), async (scrapes) => {
      const meter = new PrometheusMeter(clock);
      let now: (typeof scrapes)[number] = [];
      meter.onScrape((sample) => {
        for (const { topic, partition, value } of now) sample(SIZE, value, topic, String(partition));
        sample(COUNT, now.length);
      });
      for (now of scrapes) {
        const shown = now.map(
          ({ topic, partition, value }) =>
            `size{topic="${escaped(topic)}",partition="${partition}"} ${value}`,
        );
        expect(linesOf((await meter.scrape()).body).sort()).toEqual([...shown, `count ${now.length}`].sort());
      }
    }),
  );
});

test('two that scrape at once get one answer, and no series twice', async () => {
  const meter = new PrometheusMeter(clock);
  let collected = 0;
  meter.onScrape(async (sample) => {
    await Promise.resolve();
    collected += 1;
    sample(COUNT, collected);
  });
  const bodies = await Promise.all([meter.scrape(), meter.scrape()]);
  expect(bodies.map(({ body }) => linesOf(body))).toEqual([['count 1'], ['count 1']]);
  expect(linesOf((await meter.scrape()).body)).toEqual(['count 2']);
});

test('a scrape that failed does not stand in the way of the next', async () => {
  const meter = new PrometheusMeter(clock);
  let fails = true;
  meter.onScrape((sample) => {
    if (fails) throw new Error('no');
    sample(COUNT, 1);
  });
  await expect(meter.scrape()).rejects.toThrow('no');
  fails = false;
  expect(linesOf((await meter.scrape()).body)).toEqual(['count 1']);
});
