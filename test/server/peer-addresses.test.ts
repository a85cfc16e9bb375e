import { expect, test } from 'vitest';
import { PeerAddresses, type Whereabouts } from '../../src/server/peer-addresses.ts';

type Known = { readonly [Source in keyof Whereabouts]?: string };

function peerAt(first: Known) {
  let known = first;
  const addresses = new PeerAddresses({
    configured: () => known.configured,
    voting: () => known.voting,
    registered: () => known.registered,
  });
  const learn = (more: Known) => {
    known = { ...known, ...more };
  };
  return { addresses, learn };
}

test('the config counts first, and each address has its turn until the peer is found', () => {
  const { addresses } = peerAt({ configured: 'a', registered: 'b', voting: 'c' });
  const tried: (string | undefined)[] = [];
  for (let attempt = 0; attempt < 4; attempt++) {
    const url = addresses.urlOf(1);
    tried.push(url);
    addresses.missed(1, url ?? '');
  }
  expect(tried).toEqual(['a', 'b', 'c', 'a']);
  expect(addresses.found(1, 'b')).toBe(false);
  expect(addresses.urlOf(1)).toBe('b');
});

test('a miss of an address that is not the present one says nothing', () => {
  const { addresses } = peerAt({ configured: 'a', registered: 'b' });
  addresses.found(1, 'b');
  addresses.missed(1, 'a');
  expect(addresses.urlOf(1)).toBe('b');
});

test('a peer of which nothing is known has no address; one that registers elsewhere, the new one', () => {
  const { addresses, learn } = peerAt({});
  expect(addresses.urlOf(1)).toBeUndefined();
  learn({ registered: 'a' });
  expect(addresses.urlOf(1)).toBe('a');
  learn({ registered: 'b' });
  expect(addresses.urlOf(1)).toBe('b');
});

test('what a peer says of itself counts until it registers anew', () => {
  const { addresses, learn } = peerAt({ registered: 'a' });
  addresses.announced(1, 'b');
  expect(addresses.urlOf(1)).toBe('b');
  learn({ registered: 'c' });
  expect(addresses.urlOf(1)).toBe('c');
});

test('a refused connection proves a death only where the peer is at home', () => {
  const { addresses, learn } = peerAt({ configured: 'a' });
  expect(addresses.isHome(1, 'a')).toBe(true);
  learn({ registered: 'public' });
  expect(addresses.isHome(1, 'public')).toBe(true);
  // Never found there: it may have moved long ago.
  expect(addresses.isHome(1, 'a')).toBe(false);
  addresses.found(1, 'a');
  expect(addresses.isHome(1, 'a')).toBe(true);
  learn({ registered: 'elsewhere' });
  expect(addresses.isHome(1, 'a')).toBe(false);
  expect(addresses.found(1, 'elsewhere')).toBe(true);
});
