import { describe, expect, test } from 'vitest';
import { ERROR_CODE } from '../../src/protocol/errors.ts';
import { AlterPartition } from '../../src/protocol/messages/alter-partition.ts';
import { ElectLeaders } from '../../src/protocol/messages/elect-leaders.ts';
import { Harness, type TestBroker } from './support/harness.ts';

async function three(configs: Record<string, string> = {}, config = {}) {
  const h = new Harness(config);
  const [a, b, c] = (await h.startAll(1, 2, 3)) as [TestBroker, TestBroker, TestBroker];
  await h.createPartition([1, 2, 3], configs);
  const lose = (id: number) => {
    h.shell.brokerUnreachable(id);
    h.commit();
  };
  return { h, a, b, c, lose };
}

describe('a damaged copy', () => {
  const damage = (h: Harness, broker: TestBroker) => {
    const { topicId, partition } = h.partition();
    return h.heartbeat(broker, { offlineReplicas: [{ topicId, partition }] });
  };

  test('is left for another one, and trusted no more, however few are in sync', async () => {
    const { h, a, b, lose } = await three({ 'min.insync.replicas': '3' });
    lose(3);
    await damage(h, a);
    expect(h.partition()).toMatchObject({ leader: 2, isr: [2], elr: [3] });
    await damage(h, a);
    expect(h.partition()).toMatchObject({ leader: 2, leaderEpoch: 1 });
    expect(h.image.brokers.get(1)?.fenced).toBe(false);
    const preferred = { electionType: 0, topicPartitions: null, timeoutMs: 1 };
    await h.call(ElectLeaders, preferred);
    expect(h.partition().leader).toBe(2);
    expect((await h.alterIsr(b, [a, b])).errorCode).toBe(ERROR_CODE.INELIGIBLE_REPLICA);
    await h.heartbeat(a);
    expect((await h.alterIsr(b, [a, b])).errorCode).toBe(0);
  });

  test('that is the only one stays in the ISR without leading, until it is mended', async () => {
    const { h, a, lose } = await three();
    lose(2);
    lose(3);
    await damage(h, a);
    const { leaderEpoch } = h.partition();
    expect(h.partition()).toMatchObject({ leader: -1, isr: [1], elr: [] });
    for (let i = 0; i < 3; i++) await damage(h, a);
    expect(h.partition()).toMatchObject({ leader: -1, leaderEpoch });
    await h.heartbeat(a);
    expect(h.partition()).toMatchObject({ leader: 1, isr: [1], elr: [] });
  });

  test('is not what an unclean election chooses', async () => {
    const { h, a, b, lose } = await three();
    lose(2);
    lose(3);
    await damage(h, a);
    await h.heartbeat(b);
    expect(h.partition().leader).toBe(-1);
    h.uncleanAllowed = true;
    await h.call(ElectLeaders, { electionType: 1, topicPartitions: null, timeoutMs: 1 });
    expect(h.partition()).toMatchObject({ leader: 2, isr: [2], elr: [] });
  });

  test('waits for others that are trusted and away', async () => {
    const { h, a, c, lose } = await three({ 'min.insync.replicas': '2' });
    lose(2);
    lose(3);
    expect(h.partition()).toMatchObject({ leader: 1, isr: [1], elr: [3] });
    await damage(h, a);
    expect(h.partition()).toMatchObject({ leader: -1, isr: [3], elr: [] });
    await h.heartbeat(c);
    expect(h.partition()).toMatchObject({ leader: 3, isr: [3], elr: [] });
  });

  test('is not told to a cluster that could not read of it', async () => {
    const h = new Harness();
    const a = await h.start(1, { catalogueVersion: 2 });
    await h.createPartition([1]);
    await damage(h, a);
    expect(h.partition()).toMatchObject({ leader: 1, isr: [1] });
  });
});

describe('fencing', () => {
  test('the leader comes from the ISR; the last member stays, without leading', async () => {
    const { h, a, b, c, lose } = await three();
    lose(1);
    expect(h.partition()).toMatchObject({ leader: 2, isr: [2, 3], leaderEpoch: 1, partitionEpoch: 1 });
    lose(3);
    expect(h.partition()).toMatchObject({ leader: 2, isr: [2], leaderEpoch: 1, partitionEpoch: 2 });
    lose(2);
    expect(h.partition()).toMatchObject({ leader: -1, isr: [2], elr: [], leaderEpoch: 2 });
    await h.heartbeat(a);
    await h.heartbeat(c);
    expect(h.partition().leader).toBe(-1);
    await h.heartbeat(b);
    expect(h.partition()).toMatchObject({ leader: 2, isr: [2], leaderEpoch: 3 });
  });

  test('members that leave while the ISR is too small stay eligible (KIP-966)', async () => {
    const { h, a, b, lose } = await three({ 'min.insync.replicas': '2' });
    lose(3);
    expect(h.partition()).toMatchObject({ isr: [1, 2], elr: [] });
    lose(2);
    expect(h.partition()).toMatchObject({ leader: 1, isr: [1], elr: [2] });
    lose(1);
    expect(h.partition()).toMatchObject({ leader: -1, isr: [1], elr: [2] });
    await h.heartbeat(b);
    expect(h.partition()).toMatchObject({ leader: 2, isr: [2], elr: [1] });
    await h.heartbeat(a);
    expect((await h.alterIsr(b, [a, b])).errorCode).toBe(0);
    expect(h.partition()).toMatchObject({ leader: 2, isr: [1, 2], elr: [] });
  });

  test('all brokers lost at once stay in the ISR, and the first one back leads', async () => {
    const { h, b, c } = await three();
    h.time.advance(4_000);
    h.commit();
    expect(h.partition()).toMatchObject({ leader: -1, isr: [1, 2, 3], leaderEpoch: 1, partitionEpoch: 1 });
    await h.heartbeat(c);
    expect(h.partition()).toMatchObject({ leader: 3, isr: [3], leaderEpoch: 2 });
    await h.heartbeat(b);
    expect(h.partition()).toMatchObject({ leader: 3, isr: [3], leaderEpoch: 2 });
  });

  test('an unclean election happens only where the topic allows it', async () => {
    const { h, a, lose } = await three();
    lose(1);
    lose(3);
    lose(2);
    await h.heartbeat(a);
    expect(h.partition().leader).toBe(-1);
    await h.alterConfig('t', 'unclean.leader.election.enable', 'true');
    expect(h.partition()).toMatchObject({ leader: 1, isr: [1], elr: [] });
  });
});

describe('restarts', () => {
  test('the last replica standing is not trusted after an unclean stop (KIP-966, KAFKA-18106)', async () => {
    const { h, b, lose } = await three({ 'min.insync.replicas': '2', flush: 'os' });
    lose(3);
    lose(2);
    lose(1);
    expect(h.partition()).toMatchObject({ leader: -1, isr: [1], elr: [2] });
    const before = h.partition().partitionEpoch;
    await h.start(1, { clean: false });
    expect(h.partition()).toMatchObject({ leader: -1, isr: [2], elr: [] });
    expect(h.partition().partitionEpoch).toBeGreaterThan(before);
    await h.heartbeat(b);
    expect(h.partition()).toMatchObject({ leader: 2, isr: [2] });
  });

  test('an unclean restart of an ELR member takes it out, with a new partition epoch (KAFKA-18106)', async () => {
    const { h, lose } = await three({ 'min.insync.replicas': '2', flush: 'os' });
    lose(3);
    lose(2);
    const before = h.partition();
    expect(before).toMatchObject({ leader: 1, isr: [1], elr: [2] });
    await h.register(2, { clean: false });
    expect(h.partition()).toMatchObject({
      leader: 1,
      isr: [1],
      elr: [],
      leaderEpoch: before.leaderEpoch,
      partitionEpoch: before.partitionEpoch + 1,
    });
  });

  test('when every copy may have lost records, somebody must say so before one of them leads', async () => {
    const { h, lose } = await three({ flush: 'os' });
    lose(3);
    lose(2);
    lose(1);
    await h.start(1, { clean: false });
    await h.start(2, { clean: false });
    expect(h.partition()).toMatchObject({ leader: -1, isr: [], elr: [] });
    h.uncleanAllowed = true;
    await h.call(ElectLeaders, { electionType: 1, topicPartitions: null, timeoutMs: 1 });
    expect(h.partition()).toMatchObject({ leader: 1, isr: [1] });
  });

  test('what was synced survives: with flush=sync an unclean stop keeps the membership', async () => {
    const { h, lose } = await three({ 'min.insync.replicas': '2' });
    lose(3);
    lose(2);
    lose(1);
    await h.register(1, { clean: false });
    await h.register(2, { clean: false });
    expect(h.partition()).toMatchObject({ isr: [1], elr: [2] });
    await h.start(1, { clean: false });
    expect(h.partition()).toMatchObject({ leader: 1, isr: [1], elr: [2] });
  });

  test('a sole replica with flush=os leads again: nothing better can come', async () => {
    const h = new Harness();
    await h.start(1);
    await h.createPartition([1], { flush: 'os' });
    await h.start(1, { clean: false });
    expect(h.partition()).toMatchObject({ leader: 1, isr: [1], leaderEpoch: 2 });
  });

  test('an empty disk is trusted with nothing, whatever the flush', async () => {
    const { h, lose } = await three({ 'min.insync.replicas': '2' });
    lose(3);
    lose(2);
    lose(1);
    await h.start(1, { directory: 9 });
    expect(h.partition()).toMatchObject({ leader: -1, isr: [2], elr: [] });
  });

  test('a leader that restarts unnoticed loses the leadership with its incarnation', async () => {
    const { h } = await three();
    await h.register(1);
    expect(h.partition()).toMatchObject({ leader: 2, isr: [2, 3], leaderEpoch: 1 });
  });
});

describe('AlterPartition', () => {
  test('compare-and-set: stale, repeated and future requests are told apart', async () => {
    const { h, a, b } = await three();
    expect(await h.alterIsr(a, [a, b])).toMatchObject({ errorCode: 0, isr: [1, 2], partitionEpoch: 1 });
    const code = async (over: object, from = a) => (await h.alterIsr(from, [from], over)).errorCode;
    expect(await code({ partitionEpoch: 0 })).toBe(ERROR_CODE.INVALID_UPDATE_VERSION);
    expect(await code({ partitionEpoch: 2 })).toBe(ERROR_CODE.NOT_CONTROLLER);
    expect(await code({ leaderEpoch: 1 })).toBe(ERROR_CODE.NOT_CONTROLLER);
    expect(await code({}, b)).toBe(ERROR_CODE.INVALID_REQUEST);
    h.shell.brokerUnreachable(1);
    h.commit();
    expect(await code({ leaderEpoch: 0 }, b)).toBe(ERROR_CODE.FENCED_LEADER_EPOCH);
    expect(h.partition()).toMatchObject({ isr: [2], leader: 2 });
  });

  test('a second change races the first that is not committed: only one wins', async () => {
    const { h, a, b, c } = await three();
    h.autoCommit = false;
    const first = h.alterIsr(a, [a, b]);
    const second = h.alterIsr(a, [a, c]);
    h.commit();
    expect((await first).errorCode).toBe(0);
    expect((await second).errorCode).toBe(ERROR_CODE.INVALID_UPDATE_VERSION);
  });

  test('only live replicas of the incarnation that caught up may join (KIP-841, KIP-903)', async () => {
    const { h, a, b } = await three();
    const stale = { ...b };
    h.shell.brokerUnreachable(2);
    h.commit();
    const ineligible = ERROR_CODE.INELIGIBLE_REPLICA;
    expect((await h.alterIsr(a, [1, 3, b])).errorCode).toBe(ineligible);
    const restarted = await h.start(2);
    expect((await h.alterIsr(a, [1, 3, stale])).errorCode).toBe(ineligible);
    expect((await h.alterIsr(a, [1, 3, 9])).errorCode).toBe(ERROR_CODE.INVALID_REQUEST);
    expect((await h.alterIsr(a, [3, restarted])).errorCode).toBe(ERROR_CODE.INVALID_REQUEST);
    expect((await h.alterIsr(a, [1, 1, 3])).errorCode).toBe(ERROR_CODE.INVALID_REQUEST);
    expect((await h.alterIsr(a, [1, 3, restarted])).errorCode).toBe(0);
  });

  test('unknown topics, partitions and stale brokers are refused', async () => {
    const { h, a } = await three();
    const request = (topicId: string, brokerEpoch = a.epoch) =>
      h.call(AlterPartition, {
        brokerId: 1,
        brokerEpoch,
        topics: [
          {
            topicId,
            partitions: [{ partitionIndex: 5, leaderEpoch: 0, partitionEpoch: 0, newIsrWithEpochs: [] }],
          },
        ],
      });
    const answer = async (topicId: string) => (await request(topicId)).topics[0]?.partitions[0]?.errorCode;
    expect(await answer('AAAAAAAAAAAAAAAAAAAAAA')).toBe(ERROR_CODE.UNKNOWN_TOPIC_ID);
    expect(await answer(h.partition().topicId)).toBe(ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION);
    await expect(request(h.partition().topicId, 1)).rejects.toMatchObject({ code: 'STALE_BROKER_EPOCH' });
  });

  test('a lower min.insync.replicas clears the ELR in the same entry', async () => {
    const { h, lose } = await three({ 'min.insync.replicas': '2' });
    lose(3);
    lose(2);
    expect(h.partition().elr).toEqual([2]);
    const entries = h.log.length;
    await h.alterConfig('t', 'min.insync.replicas', '1');
    expect(h.log.length).toBe(entries + 1);
    expect(h.partition()).toMatchObject({ isr: [1], elr: [] });
  });
});

describe('preferred leaders', () => {
  test('leadership returns to the preferred replica once it is in sync again', async () => {
    const { h, a, b, c, lose } = await three({}, { leaderRebalanceIntervalMs: 5_000 });
    lose(1);
    await h.heartbeat(a);
    const beat = async () => {
      for (let i = 0; i < 11; i++) {
        h.time.advance(500);
        h.commit();
        for (const broker of [a, b, c]) await h.heartbeat(broker);
      }
    };
    await beat();
    expect(h.partition().leader).toBe(2);
    await h.alterIsr(b, [a, b, c]);
    await beat();
    expect(h.partition()).toMatchObject({ leader: 1, leaderEpoch: 2 });
  });

  test('ElectLeaders answers what it did for each partition', async () => {
    const { h, a, b, c, lose } = await three();
    const elect = async (electionType: number, topic = 't') => {
      const response = await h.call(ElectLeaders, {
        electionType,
        topicPartitions: [{ topic, partitions: [0] }],
        timeoutMs: 1,
      });
      return response.replicaElectionResults[0]?.partitionResult[0]?.errorCode;
    };
    expect(await elect(0)).toBe(ERROR_CODE.ELECTION_NOT_NEEDED);
    expect(await elect(1)).toBe(ERROR_CODE.ELECTION_NOT_NEEDED);
    expect(await elect(0, '__proto__')).toBe(ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION);
    lose(1);
    expect(await elect(0)).toBe(ERROR_CODE.PREFERRED_LEADER_NOT_AVAILABLE);
    await h.heartbeat(a);
    await h.alterIsr(b, [a, b, c]);
    expect(await elect(0)).toBe(0);
    expect(h.partition().leader).toBe(1);
    lose(1);
    lose(2);
    lose(3);
    expect(await elect(1)).toBe(ERROR_CODE.ELIGIBLE_LEADERS_NOT_AVAILABLE);
    await expect(elect(7)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    const all = await h.call(ElectLeaders, { electionType: 0, topicPartitions: null, timeoutMs: 1 });
    expect(all.replicaElectionResults[0]?.topic).toBe('t');
  });
});
