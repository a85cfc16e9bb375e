import { expect, test } from 'vitest';
import { mayConnect } from '../../src/transport/origin-policy.ts';

const policy = { allowedOrigins: ['https://app.example.org'], ownNames: ['broker.example.org'] };

test.each([
  ['no browser', undefined, '127.0.0.1:7001', true],
  ['an allowed page', 'https://app.example.org', '127.0.0.1:7001', true],
  ['another port of it', 'https://app.example.org:8443', '127.0.0.1:7001', false],
  ['another scheme of it', 'http://app.example.org', '127.0.0.1:7001', false],
  ['a name that only begins like it', 'https://app.example.org.evil.com', '127.0.0.1:7001', false],
  ['another page', 'https://evil.com', '127.0.0.1:7001', false],
  ['another port of this address', 'http://127.0.0.1:8000', '127.0.0.1:7001', false],
  ['this very listener, by address', 'http://127.0.0.1:7001', '127.0.0.1:7001', true],
  ['by an IPv6 address', 'http://[::1]:7001', '[::1]:7001', true],
  ['by localhost', 'http://localhost:7001', 'localhost:7001', true],
  ['by its name', 'https://broker.example.org', 'broker.example.org', true],
  ['by its name and the default port', 'https://broker.example.org', 'broker.example.org:443', true],
  ['a name that was made to lead here', 'http://rebound.evil.com:7001', 'rebound.evil.com:7001', false],
  ['a sandboxed page', 'null', '127.0.0.1:7001', false],
  ['nonsense', 'http://', '127.0.0.1:7001', false],
  ['nonsense for a host', 'http://127.0.0.1', ':::', false],
  ['no host', 'http://127.0.0.1:7001', undefined, false],
])('%s', (_, origin, host, allowed) => {
  expect(mayConnect({ origin, host }, policy)).toBe(allowed);
});

test('an asterisk allows every page', () => {
  const all = { allowedOrigins: ['*'], ownNames: [] };
  expect(mayConnect({ origin: 'https://evil.com', host: 'x' }, all)).toBe(true);
  expect(mayConnect({ origin: 'null', host: 'x' }, all)).toBe(true);
});
