import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  codeOf,
  ERROR_CODE,
  ERRORS,
  errorDefinition,
  errorFor,
  KafkaError,
} from '../../src/protocol/errors.ts';
import { ProtocolError } from '../../src/protocol/protocol-error.ts';
import { RecordBatchError } from '../../src/protocol/record-batch-error.ts';

const kafka: { errors: [code: number, name: string, retriable: boolean][] } = JSON.parse(
  readFileSync(new URL('golden/errors.json', import.meta.url), 'utf8'),
);

test("codes, names and retriability are Kafka's, and none is missing", () => {
  expect(ERRORS.map(({ code, name, retriable }) => [code, name, retriable])).toEqual(kafka.errors);
});

test('codes and names are unique', () => {
  expect(new Set(ERRORS.map(({ code }) => code)).size).toBe(ERRORS.length);
  expect(new Set(ERRORS.map(({ name }) => name)).size).toBe(ERRORS.length);
});

test.each(ERRORS)('$name has a message and an action that fits', ({ message, action, retriable, code }) => {
  expect(message).toMatch(/^[a-zA-Z].*[^.]$/);
  // What may succeed as it is must not make a client give up; only where nothing is left to do is no action right.
  if (retriable) expect(['retry', 'refresh-metadata', 'none']).toContain(action);
  expect(errorDefinition(code).action).toBe(action);
});

test.each(ERRORS)('$name has advice: a sentence that is more than its message', ({ name, message }) => {
  const { advice } = new KafkaError(name);
  expect(advice).toMatch(/^[A-Z].{10,}\.$/s);
  expect(advice).not.toContain(message);
});

test('an error made from a code carries all of its row', () => {
  const error = errorFor(ERROR_CODE.NOT_LEADER_OR_FOLLOWER);
  expect(error).toBeInstanceOf(KafkaError);
  expect(error).toMatchObject({
    name: 'KafkaError',
    code: 'NOT_LEADER_OR_FOLLOWER',
    errorCode: 6,
    retriable: true,
    action: 'refresh-metadata',
    message: 'this broker is not the leader (or a replica) of the partition',
  });
  expect(errorFor(36, 'flights is there already').message).toBe('flights is there already');
  expect(errorFor(36, null).message).toBe('a topic with this name exists already');
});

test('a code from the future is an unknown server error that names it', () => {
  expect(errorFor(32767)).toMatchObject({ code: 'UNKNOWN_SERVER_ERROR', retriable: false });
  expect(errorFor(32767).message).toContain('32767');
  expect(errorDefinition(32767).name).toBe('UNKNOWN_SERVER_ERROR');
});

test('anything thrown has a code to answer with', () => {
  expect(codeOf(new KafkaError('INVALID_RECORD'))).toBe(87);
  expect(codeOf(new RecordBatchError('truncated', 'x'))).toBe(ERROR_CODE.CORRUPT_MESSAGE);
  expect(codeOf(new ProtocolError('x'))).toBe(ERROR_CODE.INVALID_REQUEST);
  expect(codeOf(new Error('x'))).toBe(-1);
  expect(codeOf(Object.assign(new Error('x'), { errorCode: 9999 }))).toBe(-1);
  expect(codeOf('x')).toBe(-1);
});
