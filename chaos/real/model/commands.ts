/** What may happen, as commands of fast-check: each says when it makes sense, and what it does to model and cluster alike. */
import fc from 'fast-check';
import { type Model, PARTITIONS, type Whereabouts } from './model.ts';
import type { Role, Session } from './session.ts';

type Command = fc.AsyncCommand<Model, Session>;

/** All of them: what was acknowledged outlives that, too. */
const IMPAIRED_MAX = 3;
const RECORDS_MAX = 20;

const VERBS: Readonly<Record<Whereabouts, string>> = { killed: 'kill', stopped: 'stop', cut: 'cut' };

class Strike implements Command {
  readonly #how: Whereabouts;
  readonly #role: Role;
  readonly #partition: number;

  constructor(how: Whereabouts, role: Role, partition: number) {
    this.#how = how;
    this.#role = role;
    this.#partition = partition;
  }

  check(model: Model): boolean {
    return model.impaired.size < IMPAIRED_MAX;
  }

  async run(model: Model, session: Session): Promise<void> {
    const id = await session.find(this.#role, this.#partition);
    if (model.impaired.has(id)) return;
    await session.strike(id, this.#how);
    model.did(`${VERBS[this.#how]} ${this.#role}`);
  }

  toString(): string {
    return `${VERBS[this.#how]}(${describe(this.#role, this.#partition)})`;
  }
}

/** Starts, continues or reconnects one of those that are down. */
class Mend implements Command {
  readonly #which: number;

  constructor(which: number) {
    this.#which = which;
  }

  check(model: Model): boolean {
    return model.impaired.size > 0;
  }

  async run(model: Model, session: Session): Promise<void> {
    const ids = [...model.impaired.keys()];
    const id = ids[this.#which % ids.length];
    if (id === undefined) return;
    await session.mend(id);
    model.did('mend');
  }

  toString(): string {
    return `mend(${this.#which})`;
  }
}

class Restart implements Command {
  readonly #role: Role;
  readonly #partition: number;

  constructor(role: Role, partition: number) {
    this.#role = role;
    this.#partition = partition;
  }

  check(model: Model): boolean {
    return model.impaired.size === 0;
  }

  async run(model: Model, session: Session): Promise<void> {
    await session.restart(await session.find(this.#role, this.#partition));
    model.did(`restart ${this.#role}`);
  }

  toString(): string {
    return `restart(${describe(this.#role, this.#partition)})`;
  }
}

class Produce implements Command {
  readonly #partition: number;
  readonly #count: number;

  constructor(partition: number, count: number) {
    this.#partition = partition;
    this.#count = count;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, session: Session): Promise<void> {
    await session.produce(this.#partition, this.#count);
    model.did(model.mustServe ? 'produce' : 'produce without a majority');
  }

  toString(): string {
    return `produce(${this.#count} to ${this.#partition})`;
  }
}

class Consume implements Command {
  check(): boolean {
    return true;
  }

  async run(model: Model, session: Session): Promise<void> {
    await session.consume();
    model.did('consume');
  }

  toString(): string {
    return 'consume()';
  }
}

class Commit implements Command {
  readonly #partition: number;

  constructor(partition: number) {
    this.#partition = partition;
  }

  check(model: Model): boolean {
    return model.mustServe;
  }

  async run(model: Model, session: Session): Promise<void> {
    await session.commit(this.#partition);
    model.did('commit');
  }

  toString(): string {
    return `commit(${this.#partition})`;
  }
}

const describe = (role: Role, partition: number) =>
  role === 'controller' ? role : `${role} of ${partition}`;

const partition = fc.nat(PARTITIONS - 1);
const role = fc.constantFrom<Role>('leader', 'controller', 'follower');
const how = fc.constantFrom<Whereabouts>('killed', 'stopped', 'cut');

/** Runs of commands, at most so long; `replayPath` repeats one that failed. */
export const commandsOf = (maxCommands: number, replayPath: string | undefined) =>
  fc.commands(
    [
      fc
        .tuple(partition, fc.integer({ min: 1, max: RECORDS_MAX }))
        .map(([at, count]) => new Produce(at, count)),
      fc.tuple(how, role, partition).map(([what, whom, at]) => new Strike(what, whom, at)),
      // Twice: what is sent between two of them is what tells.
      fc.tuple(how, role, partition).map(([what, whom, at]) => new Strike(what, whom, at)),
      fc.constant(new Consume()),
      fc.nat(1).map((which) => new Mend(which)),
      partition.map((at) => new Commit(at)),
      fc.tuple(role, partition).map(([whom, at]) => new Restart(whom, at)),
    ],
    { maxCommands, size: 'max', ...(replayPath === undefined ? {} : { replayPath }) },
  );
