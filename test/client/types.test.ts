/** What the compiler refuses and infers; nothing here runs. */

import { expectTypeOf, test } from 'vitest';
import { type Consumer, json, type OdradekClient, type Producer, string } from '../../src/client/index.ts';

type Order = { readonly id: number };

const never = (_: (client: OdradekClient) => void) => {};

test('a consumer hands out bytes, or what its deserializers make', () => {
  never((client) => {
    expectTypeOf(client.consumer()).toEqualTypeOf<Consumer<Uint8Array, Uint8Array>>();
    expectTypeOf(client.consumer({ group: 'g' })).toEqualTypeOf<Consumer<Uint8Array, Uint8Array>>();
    expectTypeOf(client.consumer({ key: string, value: json<Order>() })).toEqualTypeOf<
      Consumer<string, Order>
    >();
    expectTypeOf(client.consumer({ value: string })).toEqualTypeOf<Consumer<Uint8Array, string>>();
    expectTypeOf(client.consumer<string, Order>({ key: string, value: json() })).toEqualTypeOf<
      Consumer<string, Order>
    >();
  });
});

test('a consumer of anything but bytes needs deserializers', () => {
  never((client) => {
    // @ts-expect-error: without deserializers it would hand out bytes as strings
    client.consumer<string, string>({ group: 'g' });
    // @ts-expect-error: the same without any options
    client.consumer<string, string>();
    // @ts-expect-error: the keys would be bytes
    client.consumer<string, string>({ group: 'g', value: string });
  });
});

test('a producer takes text and bytes, or what its serializers take', () => {
  never((client) => {
    expectTypeOf(client.producer()).toEqualTypeOf<Producer<string | Uint8Array, string | Uint8Array>>();
    expectTypeOf(client.producer<string, string>({ acks: 1 })).toEqualTypeOf<Producer<string, string>>();
    expectTypeOf(client.producer({ key: string, value: json<Order>() })).toEqualTypeOf<
      Producer<string, Order>
    >();
    expectTypeOf(client.producer({ value: json<Order>() })).toEqualTypeOf<
      Producer<string | Uint8Array, Order>
    >();
    // @ts-expect-error: nothing says how an order becomes bytes
    client.producer<string, Order>({ key: string });
    // @ts-expect-error: the same without any options
    client.producer<string, Order>();
  });
});
