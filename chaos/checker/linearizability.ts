/**
 * Whether calls that overlap in time can be put into one order that a sequential object could have gone through, each
 * call at a moment between its start and its end (Herlihy and Wing 1990). The search is Lowe's just-in-time
 * linearization ("Testing for linearizability", 2017), which improves on Wing and Gong's: it walks through the history
 * once and keeps every state that the object may be in, together with which of the calls still open have taken effect,
 * so its memory grows with what is open at once and not with the length of the history.
 */

/** A sequential object. States are plain data and never changed. */
export interface Model<State, Input> {
  readonly initial: State;
  /** The state after this call, or undefined where the call cannot have been answered as it was in this state. */
  step(state: State, input: Input): State | undefined;
  /** The same text for the same state, and for no other. */
  keyOf(state: State): string;
}

/** `input` is plain data: what was asked, and what was answered. */
export interface Call<Input> {
  readonly startedAt: number;
  /** When its answer came: it took effect no later. */
  readonly endedAt: number;
  /** No answer came: it may take effect at any time from its start on, or never; `endedAt` says nothing. */
  readonly isOpen?: boolean;
  readonly input: Input;
}

export type Verdict<Input> =
  | { readonly verdict: 'linearizable' }
  /** No order explains the calls that ended up to this one. */
  | { readonly verdict: 'not linearizable'; readonly at: Call<Input> }
  /** Too many calls were open at once to try all orders within `stepsMax`. */
  | { readonly verdict: 'too wide to decide'; readonly at: Call<Input> };

/** A possibility: the object's state, and which calls of those pending have made it so. */
interface Configuration<State> {
  readonly state: State;
  /** Ended or yet to end, in ascending order. */
  readonly done: readonly number[];
  /** Of those without an answer, which are pending for good, in ascending order. */
  readonly used: readonly number[];
}

const STEPS_MAX = 300_000;
const STEPS_MAX_PER_CALL = 100;

/** @param stepsMax How often the model may be asked: by default 300,000 times, and 100 times more for each call. */
export function linearize<State, Input>(
  model: Model<State, Input>,
  calls: readonly Call<Input>[],
  { stepsMax = STEPS_MAX + STEPS_MAX_PER_CALL * calls.length }: { readonly stepsMax?: number } = {},
): Verdict<Input> {
  const search = new Search(model, calls, stepsMax);
  for (const { index, isReturn } of eventsOf(calls)) {
    const call = calls[index] as Call<Input>;
    if (!isReturn) search.called(index, call.isOpen === true);
    else if (!search.returned(index)) return { verdict: 'not linearizable', at: call };
    if (search.stepsLeft < 0) return { verdict: 'too wide to decide', at: call };
  }
  return { verdict: 'linearizable' };
}

interface Event {
  readonly at: number;
  readonly index: number;
  readonly isReturn: boolean;
}

/** Starts and ends in the order of time; what happened at the same moment overlaps, so starts come first. */
function eventsOf(calls: readonly Call<unknown>[]): Event[] {
  return calls
    .flatMap(({ startedAt, endedAt, isOpen }, index): Event[] => {
      const start = { at: startedAt, index, isReturn: false };
      return isOpen ? [start] : [start, { at: endedAt, index, isReturn: true }];
    })
    .sort((a, b) => a.at - b.at || Number(a.isReturn) - Number(b.isReturn) || a.index - b.index);
}

class Search<State, Input> {
  readonly #model: Model<State, Input>;
  readonly #calls: readonly Call<Input>[];
  readonly #pending = new Set<number>();
  /** Calls without an answer; equal ones are as good as each other, so the first is used first. */
  readonly #open = new Map<string, number[]>();
  #configurations: readonly Configuration<State>[];
  stepsLeft: number;

  constructor(model: Model<State, Input>, calls: readonly Call<Input>[], stepsMax: number) {
    this.#model = model;
    this.#calls = calls;
    this.#configurations = [{ state: model.initial, done: [], used: [] }];
    this.stepsLeft = stepsMax;
  }

  called(index: number, isOpen: boolean): void {
    if (!isOpen) {
      this.#pending.add(index);
      return;
    }
    const input = JSON.stringify(this.#calls[index]?.input);
    const alike = this.#open.get(input);
    if (alike) alike.push(index);
    else this.#open.set(input, [index]);
  }

  /**
   * The call has taken effect by now. Where it has not yet, try it after every possible series of other pending calls.
   * Returns whether any possibility is left, which it pretends when the steps run out.
   */
  returned(index: number): boolean {
    const kept = new Frontier(this.#model.keyOf);
    const tried = new Frontier(this.#model.keyOf);
    for (const configuration of this.#configurations) {
      if (configuration.done.includes(index)) kept.add(without(configuration, index));
      else tried.add(configuration);
    }
    // It grows while it is walked through: breadth first, so that what needs the fewest calls comes first.
    for (const configuration of tried.all) {
      for (const next of this.#after(configuration)) {
        if (next.done.includes(index)) kept.add(without(next, index));
        else tried.add(next);
      }
      if (this.stepsLeft < 0) return true;
    }
    this.#pending.delete(index);
    this.#configurations = kept.all;
    return kept.all.length > 0;
  }

  /** What one more call makes of a possibility. */
  *#after({ state, done, used }: Configuration<State>): Generator<Configuration<State>> {
    for (const index of this.#pending) {
      if (done.includes(index)) continue;
      const next = this.#step(state, index);
      if (next !== undefined) yield { state: next, done: withOne(done, index), used };
    }
    for (const alike of this.#open.values()) {
      const index = alike.find((each) => !used.includes(each));
      if (index === undefined) continue;
      const next = this.#step(state, index);
      if (next !== undefined) yield { state: next, done, used: withOne(used, index) };
    }
  }

  #step(state: State, index: number): State | undefined {
    this.stepsLeft -= 1;
    return this.#model.step(state, (this.#calls[index] as Call<Input>).input);
  }
}

/**
 * Possibilities, without those that another one covers: of two with the same state and the same calls done, the one
 * that needed fewer of the calls without an answer can do all that the other can. Without this, every unanswered call
 * would double their number.
 */
class Frontier<State> {
  readonly all: Configuration<State>[] = [];
  readonly #keyOf: (state: State) => string;
  readonly #usedBy = new Map<string, (readonly number[])[]>();

  constructor(keyOf: (state: State) => string) {
    this.#keyOf = keyOf;
  }

  add(configuration: Configuration<State>): void {
    const key = `${configuration.done.join()}/${this.#keyOf(configuration.state)}`;
    const known = this.#usedBy.get(key) ?? [];
    if (known.some((used) => isSubset(used, configuration.used))) return;
    known.push(configuration.used);
    this.#usedBy.set(key, known);
    this.all.push(configuration);
  }
}

const without = <State>(configuration: Configuration<State>, index: number): Configuration<State> => ({
  ...configuration,
  done: configuration.done.filter((each) => each !== index),
});

const withOne = (sorted: readonly number[], index: number): number[] =>
  [...sorted, index].sort((a, b) => a - b);

const isSubset = (small: readonly number[], large: readonly number[]): boolean =>
  small.length <= large.length && small.every((each) => large.includes(each));
