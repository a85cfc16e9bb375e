import { expect, test } from 'vitest';
import { lineParser } from '../../../src/cli/produce/line-parser.ts';
import { type LineProducer, LineSender } from '../../../src/cli/produce/produce-lines.ts';

/** Acknowledges at once, after `roomAfter` records only when flushed, and refuses the record `failAt`. */
class FakeProducer implements LineProducer {
  readonly sent: string[] = [];
  readyCalls = 0;
  failAt = -1;

  async send({ value }: { value: Uint8Array | null }): Promise<{ offset: number }> {
    this.sent.push(Buffer.from(value ?? []).toString());
    if (this.sent.length - 1 === this.failAt) throw new Error('refused by the broker');
    return { offset: this.sent.length - 1 };
  }

  async ready(): Promise<void> {
    this.readyCalls++;
  }

  async flush(): Promise<void> {}
}

async function* input(...chunks: string[][]): AsyncGenerator<Uint8Array[]> {
  for (const chunk of chunks) yield chunk.map((line) => Buffer.from(line));
}

test('each line is sent once there is room, in order, and counted when acknowledged', async () => {
  const producer = new FakeProducer();
  const sender = new LineSender(producer, 't', lineParser({}));
  await sender.sendAll(input(['a', 'bc'], [''], ['d']));
  expect(producer.sent).toEqual(['a', 'bc', '', 'd']);
  expect(producer.readyCalls).toBe(4);
  expect(sender.summary).toMatchObject({ records: 4, bytes: 4 });
});

test('no input is a summary of nothing', async () => {
  const sender = new LineSender(new FakeProducer(), 't', lineParser({}));
  await sender.sendAll(input());
  expect(sender.summary).toEqual({
    records: 0,
    bytes: 0,
    seconds: 0,
    recordsPerSecond: 0,
    p50Ms: null,
    p99Ms: null,
  });
});

test('a refused record ends the sending, and is not counted', async () => {
  const producer = new FakeProducer();
  producer.failAt = 1;
  const sender = new LineSender(producer, 't', lineParser({}));
  await expect(sender.sendAll(input(['a', 'b'], ['c'], ['d', 'e']))).rejects.toThrow('refused by the broker');
  expect(sender.summary.records).toBe(producer.sent.length - 1);
  expect(producer.sent.length).toBeLessThan(5);
});

test('a bad line ends the sending; what came before it is acknowledged', async () => {
  const sender = new LineSender(new FakeProducer(), 't', lineParser({ keySeparator: ':' }));
  await expect(sender.sendAll(input(['a:1', 'bad', 'c:2']))).rejects.toThrow('line 2');
  expect(sender.summary.records).toBe(1);
});

test('an aborted input is a normal end', async () => {
  async function* aborted(): AsyncGenerator<Uint8Array[]> {
    yield [Buffer.from('a')];
    throw new DOMException('aborted', 'AbortError');
  }
  const sender = new LineSender(new FakeProducer(), 't', lineParser({}));
  await sender.sendAll(aborted());
  expect(sender.summary.records).toBe(1);
});
