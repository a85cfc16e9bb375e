import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { nodeTimers } from '../../src/platform/timers.ts';
import { Heartbeat, type Watched } from '../../src/transport/ws-heartbeat.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watched() {
  const state = { received: 0, drained: 0, buffered: 0, messages: 0, reading: true, pings: 0, ended: '' };
  const connection: Watched = {
    ping: () => {
      state.pings += 1;
      // Its peer answers.
      if (state.ended === '' && answering.has(connection)) state.received += 6;
    },
    receivedBytes: () => state.received,
    drainedBytes: () => state.drained,
    get bufferedBytes() {
      return state.buffered;
    },
    get messages() {
      return state.messages;
    },
    get reading() {
      return state.reading;
    },
    timedOut: (message) => {
      state.ended ||= message;
    },
  };
  return { state, connection };
}

const answering = new Set<Watched>();

test('a connection that is silent for three intervals times out; one that hears anything does not', () => {
  const heartbeat = new Heartbeat(nodeTimers);
  const [silent, alive, draining, paused] = [watched(), watched(), watched(), watched()];
  paused.state.reading = false;
  for (const { connection } of [silent, alive, draining, paused]) heartbeat.add(connection);
  for (let beat = 1; beat <= 3; beat += 1) {
    alive.state.received += 1;
    draining.state.drained += 1;
    vi.advanceTimersByTime(2000);
    expect(silent.state.ended).toBe(beat === 3 ? 'nothing heard from the other side for 6000 ms' : '');
  }
  expect(silent.state.pings).toBe(2);
  expect([alive, draining, paused].map(({ state }) => state.ended)).toEqual(['', '', '']);
  paused.state.reading = true;
  vi.advanceTimersByTime(4000);
  expect(paused.state.ended).toBe('');
});

test('a peer that lives and takes nothing of what waits for it is given up; a slow one is not', () => {
  const heartbeat = new Heartbeat(nodeTimers);
  const [stuck, pausing, slow] = [watched(), watched(), watched()];
  // The second one is not read from, as its queue is full: that must not keep it for ever.
  pausing.state.reading = false;
  for (const { connection, state } of [stuck, pausing, slow]) {
    answering.add(connection);
    state.buffered = 1000;
    heartbeat.add(connection);
  }
  for (let beat = 1; beat <= 20; beat += 1) {
    slow.state.drained += beat % 10 === 0 ? 1 : 0;
    vi.advanceTimersByTime(2000);
    const ended = beat >= 15 ? 'the other side took none of 1000 bytes for 30000 ms' : '';
    expect([stuck, pausing].map(({ state }) => state.ended)).toEqual([ended, ended]);
  }
  expect(slow.state.ended).toBe('');
});

test('a connection without messages is ended after the idle timeout, however many pings it answers', () => {
  const heartbeat = new Heartbeat(nodeTimers, 60_000);
  const [idle, polling] = [watched(), watched()];
  for (const { connection } of [idle, polling]) {
    answering.add(connection);
    heartbeat.add(connection);
  }
  for (let beat = 1; beat <= 30; beat += 1) {
    if (beat % 15 === 0) polling.state.messages += 1;
    vi.advanceTimersByTime(2000);
    expect(idle.state.ended).toBe(beat === 30 ? 'no message either way for 60000 ms' : '');
  }
  expect(polling.state.ended).toBe('');
});

test('the timer stops with the last connection', () => {
  const heartbeat = new Heartbeat(nodeTimers);
  const { connection } = watched();
  heartbeat.add(connection);
  expect(vi.getTimerCount()).toBe(1);
  heartbeat.remove(connection);
  expect(vi.getTimerCount()).toBe(0);
});
