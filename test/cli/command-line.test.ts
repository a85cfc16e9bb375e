import { expect, test } from 'vitest';
import { UsageError } from '../../src/cli/run.ts';
import { parse } from './support/parse.ts';

const refused = async (bin: string, line: string): Promise<string> => {
  const error = await parse(bin, line.split(' ')).catch((reason: unknown) => reason);
  expect(error, line).toBeInstanceOf(UsageError);
  return (error as Error).message;
};

test('every command of odradek with its options', async () => {
  expect(await parse('odradek', 'start --config n.yaml --set port=1 --set rack=a'.split(' '))).toMatchObject({
    config: 'n.yaml',
    set: ['port=1', 'rack=a'],
  });
  expect(
    await parse(
      'odradek',
      'topics create --config a=1 --config b=2 t --partitions 6 --replication-factor 3'.split(' '),
    ),
  ).toMatchObject({ name: 't', config: ['a=1', 'b=2'], partitions: 6, replicationFactor: 3 });
  for (const line of [
    'topics list',
    'topics describe t',
    'topics delete t',
    'topics alter t --partitions 9',
    'quorum describe --watch',
  ]) {
    expect(await parse('odradek', line.split(' '))).toMatchObject({
      bootstrap: 'ws://127.0.0.1:7001',
      json: false,
    });
  }
  expect(
    await parse('odradek', 'quorum add-voter --id 4 --directory AAAAAAAAAAAAAAAAAAAAAA'.split(' ')),
  ).toMatchObject({ id: 4, directory: 'AAAAAAAAAAAAAAAAAAAAAA' });
  expect(await parse('odradek', 'quorum remove-voter --id 4'.split(' '))).toMatchObject({ id: 4 });
  expect(
    await parse('odradek', 'produce t --key-separator : --acks 1 --linger-ms 0 --batch-size 1000'.split(' ')),
  ).toMatchObject({ topic: 't', keySeparator: ':', acks: '1', lingerMs: 0, batchSize: 1000 });
  expect(
    await parse(
      'odradek',
      'consume t --group g --from 17 --partition 0 --max 5 --exit-at-end --format json'.split(' '),
    ),
  ).toMatchObject({ group: 'g', from: { offset: 17 }, partition: 0, maxRecords: 5, exitAtEnd: true });
  expect(await parse('odradek', 'groups list'.split(' '))).toBeDefined();
  expect(await parse('odradek', 'groups describe g --json'.split(' '))).toMatchObject({
    group: 'g',
    json: true,
  });
  expect(await parse('odradek', 'cluster describe --bootstrap ws://h:1'.split(' '))).toMatchObject({
    bootstrap: 'ws://h:1',
  });
});

test('a node is configured by a file, by overrides, or by the environment alone', async () => {
  expect(await parse('odradek', ['start'])).toMatchObject({ set: [] });
  for (const command of ['show', 'check']) {
    expect(
      await parse('odradek', ['config', command, '--config', 'n.yaml', '--set', 'port=1']),
    ).toMatchObject({
      config: 'n.yaml',
      set: ['port=1'],
    });
  }
});

test('every command of cluster with its options', async () => {
  expect(await parse('cluster', ['up'])).toMatchObject({ nodes: 3, basePort: 7000, dir: 'data/cluster' });
  expect(await parse('cluster', 'up --nodes 5 --base-port 9000 --dir d'.split(' '))).toMatchObject({
    nodes: 5,
    basePort: 9000,
    dir: 'd',
  });
  for (const command of ['kill', 'stop', 'start', 'logs']) {
    expect(await parse('cluster', [command, '2'])).toMatchObject({ node: 2 });
  }
  for (const command of ['down', 'status']) expect(await parse('cluster', [command, '--json'])).toBeDefined();
});

test('what nobody meant is refused, with what would be right', async () => {
  expect(await refused('odradek', 'consume t --from beginning')).toContain(
    'earliest, latest, committed, an offset',
  );
  expect(await refused('odradek', 'consume t --from -0')).toContain('earliest');
  expect(await refused('odradek', 'consume t --to earliest')).toContain('latest, an offset');
  expect(await refused('odradek', 'consume t --format %q')).toContain('%k key');
  expect(await refused('odradek', 'consume t --from 1.5')).toContain('earliest');
  expect(await refused('odradek', 'consume t --max 0')).toContain('1 or more');
  expect(await refused('odradek', 'consume t --max many')).toContain('1 or more');
  expect(await refused('odradek', 'consume t --format xml')).toContain('json');
  expect(await refused('odradek', 'consume t --partition -1')).toContain('0 or more');
  expect(await refused('odradek', 'consume t --group a --group b')).toContain('twice');
  expect(await refused('odradek', 'produce t --acks 2')).toContain('all');
  expect(await refused('odradek', 'topics create t --partitions 0')).toContain('1 to');
  expect(await refused('odradek', 'topics create t --replication-factor x')).toContain('1 to');
  expect(await refused('odradek', 'topics create')).toContain('name');
  expect(await refused('odradek', 'topics')).toContain('create, list');
  expect(await refused('odradek', 'topics rename a')).toBeTruthy();
  expect(await refused('odradek', 'quorum add-voter --id 4 --directory data')).toContain('quorum describe');
  expect(await refused('odradek', 'nonsense')).toBeTruthy();
  expect(await refused('odradek', 'topics list --nonsense')).toContain('nonsense');
  expect(await refused('odradek', 'start n.yaml')).toBeTruthy();
  expect(await refused('odradek', 'config')).toContain('show or check');
  expect(await refused('cluster', 'up --nodes 0')).toContain('1 to 100');
  expect(await refused('cluster', 'up --base-port 70000')).toContain('1 to 63000');
  expect(await refused('cluster', 'kill two')).toContain('1 to 100');
  expect(await refused('cluster', 'kill')).toContain('node');
});
