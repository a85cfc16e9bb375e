import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { nodeTimers } from '../../src/platform/timers.ts';
import { Heartbeat, type Watched } from '../../src/transport/ws-heartbeat.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watched() {
  const state = { progress: 0, reading: true, pings: 0, timedOutMs: 0 };
  const connection: Watched = {
    ping: () => {
      state.pings += 1;
    },
    progress: () => state.progress,
    get reading() {
      return state.reading;
    },
    timedOut: (silentMs) => {
      state.timedOutMs = silentMs;
    },
  };
  return { state, connection };
}

test('a connection that is silent for three intervals times out; one that hears anything does not', () => {
  const heartbeat = new Heartbeat(nodeTimers);
  const [silent, alive, paused] = [watched(), watched(), watched()];
  paused.state.reading = false;
  for (const { connection } of [silent, alive, paused]) heartbeat.add(connection);
  for (let beat = 1; beat <= 3; beat += 1) {
    alive.state.progress += 1;
    vi.advanceTimersByTime(2000);
    expect(silent.state.timedOutMs).toBe(beat === 3 ? 6000 : 0);
  }
  expect(silent.state.pings).toBe(2);
  expect(alive.state.timedOutMs + paused.state.timedOutMs).toBe(0);
  paused.state.reading = true;
  vi.advanceTimersByTime(4000);
  expect(paused.state.timedOutMs).toBe(0);
});

test('the timer stops with the last connection', () => {
  const heartbeat = new Heartbeat(nodeTimers);
  const { connection } = watched();
  heartbeat.add(connection);
  expect(vi.getTimerCount()).toBe(1);
  heartbeat.remove(connection);
  expect(vi.getTimerCount()).toBe(0);
});
