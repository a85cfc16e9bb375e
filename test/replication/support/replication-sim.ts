import { ERROR_CODE } from '../../../src/protocol/errors.ts';
import { findDivergence } from '../../../src/replication/divergence.ts';
import type { AlterOutcome } from '../../../src/replication/isr-state.ts';
import { PartitionFollower } from '../../../src/replication/partition-follower.ts';
import { PartitionLeader } from '../../../src/replication/partition-leader.ts';
import { ModelController, type PartitionState } from './model-controller.ts';
import { ModelLog, type ModelRecord } from './model-log.ts';
import { type Replica, ReplicationInvariants } from './replication-invariants.ts';
import {
  type AlterMessage,
  type AlterReply,
  emptyAnswer,
  type FetchMessage,
  type FetchReply,
  type Message,
  type SimEvent,
} from './sim-vocabulary.ts';

export const LIMITS = {
  replicaLagTimeMaxMs: 10_000,
  joinWaitMsMax: 1_000,
  alterBackoffMsMin: 100,
  alterBackoffMsMax: 1_000,
};

interface SimNode extends Replica {
  alive: boolean;
  brokerEpoch: number;
  /** How much of the metadata log it has seen; its roles begin once that covers its registration. */
  metadataIndex: number;
  registeredAt: number;
  leader: PartitionLeader | undefined;
  follower: PartitionFollower | undefined;
  isFetching: boolean;
}

/** Cores, model logs, a model controller and a network that delays, loses, repeats and reorders. */
export class ReplicationSim {
  readonly controller: ModelController;
  readonly nodes: SimNode[];
  messages: Message[] = [];
  nowMs = 0;
  truncations = 0;
  readonly #invariants = new ReplicationInvariants((why) => {
    throw new Error(`${why}${this.describe()}`);
  });
  #nextValue = 1;

  constructor(replicas: number, minInSyncReplicas: number) {
    const ids = Array.from({ length: replicas }, (_, index) => index + 1);
    this.controller = new ModelController(ids, minInSyncReplicas);
    this.nodes = ids.map((id) => ({
      id,
      log: new ModelLog(),
      alive: true,
      brokerEpoch: 1,
      metadataIndex: 0,
      registeredAt: 0,
      leader: undefined,
      follower: undefined,
      isFetching: false,
    }));
    for (const node of this.nodes) this.#becomeAssigned(node);
  }

  run(event: SimEvent): void {
    this.#happen(event, this.#choose(event));
    this.check();
  }

  /** Among the nodes that the event can do something to, if there are any: most schedules would be idle otherwise. */
  #choose({ what, pick }: SimEvent): SimNode {
    const apt = this.nodes.filter((node) => {
      if (what === 'produce' || what === 'propose') return node.leader !== undefined;
      if (what === 'fetch' || what === 'exchange') return node.follower !== undefined;
      if (what === 'sync') return node.log.syncedOffset < node.log.logEndOffset;
      if (what === 'restart') return !node.alive;
      if (what === 'unfence') return node.alive && this.controller.isFenced(node.id);
      if (what === 'metadata') return node.alive && node.metadataIndex < this.controller.history.length - 1;
      return node.alive;
    });
    const among = apt.length > 0 ? apt : this.nodes;
    return among[pick % among.length] as SimNode;
  }

  node(id: number): SimNode {
    return this.nodes[id - 1] as SimNode;
  }

  #happen({ what, pick }: SimEvent, node: SimNode): void {
    switch (what) {
      case 'produce': {
        if (!node.leader?.hasEnoughReplicas) return;
        const count = 1 + (pick % 3);
        for (let i = 0; i < count; i++) {
          node.log.append({ epoch: node.leader.leaderEpoch, value: this.#nextValue++ });
        }
        return;
      }
      case 'sync':
        if (node.alive) this.#sync(node, pick % 4 === 0 ? node.log.syncedOffset + 1 : node.log.logEndOffset);
        return;
      case 'fetch':
        this.#fetch(node);
        return;
      case 'exchange':
        this.#exchange(node);
        return;
      case 'deliver':
        this.#deliver(pick % Math.max(1, this.messages.length), true);
        return;
      case 'deliverFirst':
        this.#deliver(0, true);
        return;
      case 'repeat':
        this.#deliver(pick % Math.max(1, this.messages.length), false);
        return;
      case 'drop':
        this.#drop(pick % Math.max(1, this.messages.length), pick % 2 === 0);
        return;
      case 'metadata':
        this.#metadata(node, pick % 3 === 0 ? this.controller.history.length - 1 : node.metadataIndex + 1);
        return;
      case 'propose':
        this.#propose(node);
        return;
      case 'time':
        this.nowMs += [50, 400, 3_000, 11_000][pick % 4] ?? 0;
        for (const each of this.nodes) each.leader?.tick(this.nowMs);
        return;
      case 'crash':
        this.#crash(node);
        return;
      case 'restart':
        this.#restart(node);
        return;
      case 'fence':
        if (!this.controller.isFenced(node.id)) this.controller.fence(node.id);
        return;
      case 'unfence':
        if (node.alive) this.#metadata(node, Math.max(node.registeredAt, node.metadataIndex));
        if (node.alive) this.controller.unfence(node.id);
        return;
      case 'moveLeader':
        this.controller.moveLeader(node.id);
        return;
      case 'settle':
        this.round();
        return;
    }
  }

  /** Ends all faults and runs until nothing changes: returns how many rounds that took. */
  heal(): number {
    while (this.messages.length > 0) this.#drop(0, false);
    for (const node of this.nodes) {
      node.isFetching = false;
      if (!node.alive) this.#restart(node);
      this.#metadata(node, this.controller.history.length - 1);
      this.controller.unfence(node.id);
    }
    for (let rounds = 1; rounds <= 60; rounds++) {
      this.round();
      this.check();
      if (this.#isSettled()) return rounds;
    }
    throw new Error(`no convergence after heal: ${this.describe()}`);
  }

  /** Everybody does what is due once, and every message arrives. */
  round(): void {
    this.nowMs += 1_100;
    for (const node of this.nodes) {
      if (!node.alive) continue;
      this.#metadata(node, this.controller.history.length - 1);
      this.#sync(node, node.log.logEndOffset);
      node.leader?.tick(this.nowMs);
      this.#propose(node);
      node.isFetching = false;
      this.#fetch(node);
    }
    while (this.messages.length > 0) this.#deliver(0, true);
  }

  describe(): string {
    const nodes = this.nodes.map(({ id, alive, log, leader, follower, brokerEpoch }) => {
      const role = leader
        ? `leader of ${leader.leaderEpoch} maximal ${[...leader.maximalIsr]} positions ${JSON.stringify(leader.describeFollowers())}`
        : follower
          ? `follows ${follower.leaderId} in ${follower.leaderEpoch}`
          : 'no role';
      const epochs = log.records.map(({ epoch, value }) => `${epoch}:${value}`).join(' ');
      return `${id}${alive ? '' : ' (down)'} [${brokerEpoch}] hw ${log.highWatermark} synced ${log.syncedOffset} ${role}: ${epochs}`;
    });
    return [`\n${JSON.stringify(this.controller.state)} at ${this.nowMs}`, ...nodes].join('\n');
  }

  /** The replication invariants. */
  check(): void {
    for (const { leader, log } of this.nodes) {
      // Shells carry it over to the log after each step.
      if (leader) log.highWatermark = Math.max(log.highWatermark, leader.highWatermark);
    }
    this.#invariants.check(this.nodes, this.controller.state);
  }

  #isSettled(): boolean {
    const { leader: leaderId, isr, replicas } = this.controller.state;
    const leader = this.nodes[leaderId - 1];
    if (!leader?.leader || isr.length !== replicas.length || leader.leader.isr.size !== isr.length)
      return false;
    const end = leader.log.logEndOffset;
    return this.nodes.every(({ log }) => log.logEndOffset === end && log.highWatermark === end);
  }

  #sync(node: SimNode, offset: number): void {
    node.log.sync(Math.min(offset, node.log.logEndOffset));
    node.leader?.onSynced(this.nowMs);
  }

  #fetch(node: SimNode): void {
    const { follower, log } = node;
    if (!node.alive || !follower || node.isFetching || log.syncedOffset < log.logEndOffset) return;
    node.isFetching = true;
    const { id: from, brokerEpoch } = node;
    this.messages.push({
      kind: 'fetch',
      from,
      to: follower.leaderId,
      brokerEpoch,
      position: follower.position(),
    });
  }

  /** A fetch that nothing comes between, and the sync of what it brought. */
  #exchange(node: SimNode): void {
    this.#sync(node, node.log.logEndOffset);
    this.#fetch(node);
    for (const kind of ['fetch', 'fetchReply']) {
      const last = this.messages.length - 1;
      if (this.messages[last]?.kind === kind) this.#deliver(last, true);
    }
    this.#sync(node, node.log.logEndOffset);
  }

  #propose(node: SimNode): void {
    const { leader, id: from, brokerEpoch } = node;
    const proposal = leader?.takeProposal(this.nowMs);
    if (leader && proposal) {
      const isr = proposal.isr.map((m) => (m.brokerId === from ? { brokerId: from, brokerEpoch } : m));
      this.messages.push({
        kind: 'alter',
        from,
        brokerEpoch,
        leader,
        proposal: { ...proposal, isr },
        isLate: false,
      });
    }
  }

  #drop(index: number, comesLate: boolean): void {
    const [message] = this.messages.splice(index, 1);
    if (message?.kind === 'fetch') this.#giveUp(message.from, message.brokerEpoch);
    if (message?.kind === 'fetchReply') this.#giveUp(message.to, message.brokerEpoch);
    if (message?.kind === 'alter' && !message.isLate) {
      this.#answerAlter(message.from, message, 'unknown');
      if (comesLate) this.messages.push({ ...message, isLate: true });
    }
    if (message?.kind === 'alterReply') this.#takeOutcome({ ...message, outcome: 'unknown' });
  }

  #answerAlter(to: number, { brokerEpoch, leader, proposal }: AlterMessage, outcome: AlterOutcome): void {
    const proposalId = proposal.id;
    this.messages.push({ kind: 'alterReply', to, brokerEpoch, leader, proposalId, outcome });
  }

  #giveUp(id: number, brokerEpoch: number): void {
    const node = this.node(id);
    if (node.brokerEpoch === brokerEpoch) node.isFetching = false;
  }

  #deliver(index: number, once: boolean): void {
    const message = this.messages[index];
    if (!message) return;
    // Only requests are repeated: a reply is matched to its request, once.
    if (!once && (message.kind === 'fetchReply' || message.kind === 'alterReply')) return;
    if (once) this.messages.splice(index, 1);
    switch (message.kind) {
      case 'fetch':
        this.#serve(message, once);
        return;
      case 'fetchReply':
        this.#takeReply(message);
        return;
      case 'alter': {
        const answer = this.controller.alter(message.from, message.proposal);
        if (once && !message.isLate) this.#answerAlter(message.from, message, answer);
        return;
      }
      case 'alterReply':
        this.#takeOutcome(message);
        return;
    }
  }

  #takeOutcome({ to, brokerEpoch, leader, proposalId, outcome }: AlterReply): void {
    const node = this.node(to);
    if (!node.alive || node.brokerEpoch !== brokerEpoch || node.leader !== leader) return;
    leader.onAlterOutcome(proposalId, outcome, this.nowMs);
  }

  #serve(message: FetchMessage, replies: boolean): void {
    const { position, from, brokerEpoch } = message;
    const node = this.node(message.to);
    const { leader, log } = node;
    const answer = emptyAnswer(log.logStartOffset);
    let records: ModelRecord[] = [];
    if (!node.alive || !leader) answer.errorCode = ERROR_CODE.NOT_LEADER_OR_FOLLOWER;
    else if (position.currentLeaderEpoch !== leader.leaderEpoch)
      answer.errorCode = ERROR_CODE.FENCED_LEADER_EPOCH;
    else {
      const diverging = findDivergence(log, position.fetchOffset, position.lastFetchedEpoch);
      if (diverging) answer.divergingEpoch = diverging;
      else {
        const follower = { brokerId: from, brokerEpoch, fetchOffset: position.fetchOffset };
        if (leader.onFollowerFetch(follower, this.nowMs) !== 'recorded')
          answer.errorCode = ERROR_CODE.STALE_BROKER_EPOCH;
        records = log.from(position.fetchOffset).slice(0, 4);
      }
      // A divergence comes with a high watermark all the same: it must not be applied (KAFKA-14704).
      answer.highWatermark = leader.highWatermark;
    }
    if (replies) this.messages.push({ kind: 'fetchReply', to: from, brokerEpoch, position, answer, records });
  }

  #takeReply({ to, brokerEpoch, position, answer, records }: FetchReply): void {
    const node = this.node(to);
    this.#giveUp(to, brokerEpoch);
    if (!node.alive || node.brokerEpoch !== brokerEpoch || !node.follower) return;
    const action = node.follower.onResponse(position, answer);
    if (action.kind === 'truncate') {
      this.truncations++;
      node.log.truncateTo(action.offset);
    }
    if (action.kind === 'reset') node.log.resetTo(action.offset);
    if (action.kind !== 'append') return;
    node.log.append(...records);
    const { highWatermark } = node.follower.progressAfterAppend(answer);
    node.log.highWatermark = Math.max(node.log.highWatermark, highWatermark);
  }

  #metadata(node: SimNode, index: number): void {
    if (!node.alive) return;
    const target = Math.min(index, this.controller.history.length - 1);
    if (target > node.metadataIndex) node.metadataIndex = target;
    this.#becomeAssigned(node);
  }

  #becomeAssigned(node: SimNode): void {
    if (node.metadataIndex < node.registeredAt) return;
    const state = this.controller.history[node.metadataIndex] as PartitionState;
    const epoch = node.leader?.leaderEpoch ?? node.follower?.leaderEpoch ?? -1;
    if (epoch === state.leaderEpoch) {
      node.leader?.update(state, this.nowMs);
      return;
    }
    node.leader = undefined;
    node.follower = undefined;
    node.isFetching = false;
    if (state.leader === node.id)
      node.leader = new PartitionLeader(node.id, state, node.log, LIMITS, this.nowMs);
    else if (state.leader >= 0)
      node.follower = new PartitionFollower(state.leader, state.leaderEpoch, node.log);
  }

  #crash(node: SimNode): void {
    if (!node.alive) return;
    node.alive = false;
    node.leader = undefined;
    node.follower = undefined;
    node.isFetching = false;
    node.log.crash();
    // Its checkpointed high watermark is an old one.
    node.log.highWatermark = Math.floor(node.log.highWatermark / 2);
  }

  #restart(node: SimNode): void {
    if (node.alive) return;
    node.alive = true;
    this.controller.register(node.id);
    node.brokerEpoch = this.controller.brokerEpoch(node.id);
    node.registeredAt = this.controller.history.length - 1;
  }
}
