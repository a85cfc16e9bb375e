import { expect, test } from 'vitest';
import { integer, keyValues } from '../../src/cli/options.ts';

test('integers are plain digits within their range', () => {
  const port = integer('--port', 1, 10);
  expect([port(undefined), port('1'), port('10')]).toEqual([undefined, 1, 10]);
  for (const wrong of ['0', '11', '', ' 1', '1e1', '0x1', '1.0', '-1', '99999999999999999999', ['1', '2']]) {
    expect(() => port(wrong), String(wrong)).toThrow(/--port/);
  }
});

test('key=value pairs', () => {
  expect(keyValues(['a=1', 'b=', 'c=x=y'], '--config')).toEqual({ a: '1', b: '', c: 'x=y' });
  for (const wrong of ['a', '=1', ''])
    expect(() => keyValues([wrong], '--config'), wrong).toThrow(/key=value/);
  expect(() => keyValues(['a=1', 'a=2'], '--config')).toThrow('sets a twice');
});
