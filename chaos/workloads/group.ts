import type { MetadataImage } from '../../src/metadata/image.ts';
import { GroupMember } from './group-member.ts';
import type { Workload, WorkloadContext, WorkloadKind } from './workload.ts';

/** A consumer group whose members commit now and then; the pause is how long a poll waits. */
export const group: WorkloadKind = {
  name: 'group',
  pausesMs: [0, 300, 2000, 2000],
  start: (context) => new Group(context, { name: 'readers', members: 2 }),
};

export interface GroupOptions {
  readonly name: string;
  /** How many it begins with. */
  readonly members: number;
}

/** The members of a group of the main topic, each on a machine of its own. */
export class Group implements Workload {
  readonly #context: WorkloadContext;
  readonly #name: string;
  readonly #members: GroupMember[] = [];
  readonly #leaving = new Set<GroupMember>();
  #joined = 0;

  constructor(context: WorkloadContext, { name, members }: GroupOptions) {
    this.#context = context;
    this.#name = name;
    for (let count = members; count > 0; count -= 1) this.join();
  }

  get killable(): readonly { crash(): void }[] {
    return this.#members.map((_, index) => ({ crash: () => this.#crash(index) }));
  }

  get size(): number {
    return this.#members.length;
  }

  /** Members go on until the end: the group must settle. */
  stop(): void {}

  /** Another member, on a machine of its own. */
  join(): void {
    this.#members.push(this.#member(`${this.#name}-${this.#joined}`));
    this.#joined += 1;
  }

  /** A member commits, gives up what it has, and leaves. */
  leave(index: number): void {
    const [member] = this.#members.splice(index, 1);
    if (!member) return;
    this.#leaving.add(member);
    void member.leave().then(() => this.#leaving.delete(member));
  }

  /** Every partition has one owner that knows it, and nobody else is in the group. */
  waitingFor(): string[] {
    const { topic } = this.#context;
    const image = this.#context.image();
    const group = image.groups.get(this.#name);
    if (!group) return [`the group ${this.#name} waits to be formed`];
    const reasons = [...this.#leaving].map(({ name }) => `${name} waits to leave its group`);
    if (group.members.size !== this.#members.length)
      reasons.push(`${this.#name} has ${group.members.size} members instead of ${this.#members.length}`);
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
      return count === 1 ? [] : [`${name} has ${count} owners in the group ${this.#name}`];
    });
  }

  #member(machine: string): GroupMember {
    return new GroupMember(this.#context, this.#context.machine(machine), this.#name);
  }

  /** A member's process is killed, and another takes its machine. */
  #crash(index: number): void {
    const member = this.#members[index];
    if (!member) return;
    member.crash();
    this.#context.machine(member.machineName).machine.restart();
    this.#members[index] = this.#member(member.machineName);
  }
}
