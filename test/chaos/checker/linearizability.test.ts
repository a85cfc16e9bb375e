import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Call, linearize, type Model } from '../../../chaos/checker/linearizability.ts';

/** A register: what is read is what was written last, 0 before. */
type Access = { readonly write: number } | { readonly read: number };
const register: Model<number, Access> = {
  initial: 0,
  step: (state, access) => {
    if ('write' in access) return access.write;
    return access.read === state ? state : undefined;
  },
  keyOf: String,
};

/** The definition itself: every order of every choice of the calls that need not have taken effect. */
function isLinearizable<State, Input>(model: Model<State, Input>, calls: readonly Call<Input>[]): boolean {
  const extend = (state: State, left: readonly Call<Input>[]): boolean => {
    if (left.every(({ isOpen }) => isOpen)) return true;
    return left.some((call, index) => {
      const others = left.toSpliced(index, 1);
      const isTooEarly = others.some(({ endedAt, isOpen }) => !isOpen && endedAt < call.startedAt);
      if (isTooEarly) return false;
      const next = model.step(state, call.input);
      return next !== undefined && extend(next, others);
    });
  };
  return extend(model.initial, calls);
}

const access = fc.oneof(
  fc.record({ write: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ read: fc.integer({ min: 0, max: 3 }) }),
);
const call = fc
  .record({
    startedAt: fc.integer({ min: 0, max: 12 }),
    lastsFor: fc.integer({ min: 0, max: 6 }),
    input: access,
    isOpen: fc.integer({ min: 0, max: 3 }).map((drawn) => drawn === 0),
  })
  .map(({ startedAt, lastsFor, input, isOpen }) => ({
    ...{ startedAt, endedAt: startedAt + lastsFor, input, isOpen },
  }));

test('agrees with the definition, tried by brute force', () => {
  const verdicts = { yes: 0, no: 0 };
  fc.assert(
    fc.property(fc.array(call, { maxLength: 6 }), (calls) => {
      const expected = isLinearizable(register, calls);
      verdicts[expected ? 'yes' : 'no'] += 1;
      expect(linearize(register, calls).verdict).toBe(expected ? 'linearizable' : 'not linearizable');
    }),
    { numRuns: 3000 },
  );
  // The generator must reach both, or the property says nothing.
  expect(verdicts.yes).toBeGreaterThan(300);
  expect(verdicts.no).toBeGreaterThan(300);
});

const write = (value: number, startedAt: number, endedAt: number): Call<Access> => ({
  ...{ input: { write: value }, startedAt, endedAt },
});
const read = (value: number, startedAt: number, endedAt: number): Call<Access> => ({
  ...{ input: { read: value }, startedAt, endedAt },
});
const unanswered = (value: number, startedAt: number): Call<Access> => ({
  ...{ input: { write: value }, startedAt, endedAt: startedAt, isOpen: true },
});

describe('by hand', () => {
  test.each([
    ['nothing', [], true],
    ['a read of what was written', [write(1, 0, 1), read(1, 2, 3)], true],
    ['a read of what was written over', [write(1, 0, 1), write(2, 2, 3), read(1, 4, 5)], false],
    ['a read of the future', [read(1, 0, 1), write(1, 2, 3)], false],
    ['a read during the write', [read(1, 0, 3), write(1, 2, 4)], true],
    ['reads that disagree on the order', [write(1, 0, 9), read(1, 1, 2), read(0, 3, 4)], false],
    ['an unanswered write that was carried out late', [unanswered(1, 0), read(0, 1, 2), read(1, 3, 4)], true],
    ['an unanswered write that never was', [unanswered(1, 0), read(0, 1, 2)], true],
    [
      'an unanswered write carried out twice',
      [unanswered(1, 0), read(1, 1, 2), write(2, 3, 4), read(1, 5, 6)],
      false,
    ],
    ['what ends as another starts overlaps it', [write(1, 0, 5), read(0, 5, 6)], true],
  ] as [string, Call<Access>[], boolean][])('%s', (_, calls, expected) => {
    expect(linearize(register, calls).verdict).toBe(expected ? 'linearizable' : 'not linearizable');
  });

  test('names the call that nothing explains', () => {
    const wrong = read(1, 4, 5);
    const calls = [write(1, 0, 1), write(2, 2, 3), wrong, read(2, 6, 7)];
    expect(linearize(register, calls)).toEqual({ verdict: 'not linearizable', at: wrong });
  });

  test('gives up loudly where too much is open at once', () => {
    const writes = Array.from({ length: 14 }, (_, index) => write(index + 1, 0, 100));
    const calls = [...writes, read(0, 101, 102)];
    expect(linearize(register, calls, { stepsMax: 10_000 }).verdict).toBe('too wide to decide');
  });
});

test('unanswered writes do not double the work each, and a long history is no matter', () => {
  const calls: Call<Access>[] = [];
  for (let at = 0; at < 5_000; at += 1) {
    if (at % 500 === 0) calls.push(unanswered(1_000_000 + at, at));
    calls.push(write(at, at, at + 0.4), read(at, at + 0.5, at + 0.9));
  }
  expect(linearize(register, calls, { stepsMax: 10_000_000 }).verdict).toBe('linearizable');
  const wrong = [...calls, read(-1, 30_000, 30_001)];
  expect(linearize(register, wrong, { stepsMax: 10_000_000 }).verdict).toBe('not linearizable');
});
