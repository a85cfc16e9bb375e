import type { MetadataImage } from '../../src/metadata/image.ts';
import { GROUP, GroupMember } from './group-member.ts';
import type { Workload, WorkloadContext, WorkloadKind } from './workload.ts';

const MEMBERS = 2;

/** A consumer group whose members commit now and then; the pause is how long a poll waits. */
export const group: WorkloadKind = {
  name: 'group',
  pausesMs: [0, 300, 2000, 2000],
  start: (context) => new Group(context),
};

class Group implements Workload {
  readonly #context: WorkloadContext;
  readonly #members: GroupMember[] = [];
  readonly killable: readonly { crash(): void }[];

  constructor(context: WorkloadContext) {
    this.#context = context;
    const indexes = Array.from({ length: MEMBERS }, (_, index) => index);
    for (const index of indexes) this.#members.push(this.#member(index));
    this.killable = indexes.map((index) => ({ crash: () => this.#crash(index) }));
  }

  /** Members go on until the end: the group must settle. */
  stop(): void {}

  /** Every partition has one owner that knows it, and nobody else is in the group. */
  waitingFor(): string[] {
    const { topic } = this.#context;
    const image = this.#context.image();
    const group = image.groups.get(GROUP);
    if (!group) return ['the group waits to be formed'];
    const reasons: string[] = [];
    if (group.members.size !== this.#members.length)
      reasons.push(`the group has ${group.members.size} members instead of ${this.#members.length}`);
    reasons.push(...this.#unowned(image, topic.name));
    for (const { memberId, partitionsPendingRevocation } of group.members.values()) {
      if (partitionsPendingRevocation.length > 0)
        reasons.push(`member ${memberId} has yet to give up partitions`);
    }
    return reasons;
  }

  #unowned(image: MetadataImage, topicName: string): string[] {
    const owned = this.#members.flatMap((member) => member.owned);
    return (image.topicByName(topicName)?.partitions ?? []).flatMap(({ partition }) => {
      const name = `${topicName}-${partition}`;
      const count = owned.filter((each) => each === name).length;
      return count === 1 ? [] : [`${name} has ${count} owners in the group`];
    });
  }

  #member(index: number): GroupMember {
    return new GroupMember(this.#context, this.#context.machine(`m${index}`));
  }

  /** A member's process is killed, and another takes its machine. */
  #crash(index: number): void {
    this.#members[index]?.crash();
    this.#context.machine(`m${index}`).machine.restart();
    this.#members[index] = this.#member(index);
  }
}
