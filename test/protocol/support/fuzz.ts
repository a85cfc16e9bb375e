import fc from 'fast-check';

/** A change of some bytes: the kind of damage that disks, networks and attackers do. */
export type Damage =
  | { readonly kind: 'set'; readonly at: number; readonly byte: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'overwrite'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'remove'; readonly at: number; readonly count: number };

/** Lengths and counts that no message can mean: in msgpack, as varints, as plain 32-bit integers. */
const hostile = fc.constantFrom(
  Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff),
  Uint8Array.of(0xdd, 0x00, 0x0f, 0xff, 0xff),
  Uint8Array.of(0xdc, 0xff, 0xff),
  Uint8Array.of(0xdb, 0xff, 0xff, 0xff, 0xff),
  Uint8Array.of(0xc6, 0x7f, 0xff, 0xff, 0xff),
  Uint8Array.of(0xdf, 0xff, 0xff, 0xff, 0xff),
  Uint8Array.of(0xc9, 0xff, 0xff, 0xff, 0xff, 0x72),
  Uint8Array.of(0xd4, 0x72, 0x40),
  Uint8Array.of(0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
  Uint8Array.of(0xff, 0xff, 0xff, 0xff),
  Uint8Array.of(0x7f, 0xff, 0xff, 0xff),
  Uint8Array.of(0x80, 0x00, 0x00, 0x00),
  Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 0x0f),
  Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
);

export const damages: fc.Arbitrary<Damage[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('set' as const), at: fc.nat(), byte: fc.nat(255) }),
    fc.record({
      kind: fc.constantFrom('insert' as const, 'overwrite' as const),
      at: fc.nat(),
      bytes: hostile,
    }),
    fc.record({ kind: fc.constant('remove' as const), at: fc.nat(), count: fc.integer({ min: 1, max: 4 }) }),
  ),
  { minLength: 1, maxLength: 4 },
);

export function damage(original: Uint8Array, damages: readonly Damage[]): Uint8Array {
  const bytes = [...original];
  for (const each of damages) {
    const at = each.at % (bytes.length + 1);
    if (each.kind === 'set') bytes.splice(at, 1, each.byte);
    else if (each.kind === 'insert') bytes.splice(at, 0, ...each.bytes);
    else if (each.kind === 'overwrite') bytes.splice(at, each.bytes.length, ...each.bytes);
    else bytes.splice(at, each.count);
  }
  return Uint8Array.from(bytes);
}

/**
 * Runs `decode` and returns the largest array (in elements) that it asked for by a length. A decoder that believes a
 * count from the wire asks for more than the bytes that it was given can hold.
 */
export function largestAllocation(decode: () => void): number {
  let largest = 0;
  const { Array: PlainArray, Uint8Array: PlainBytes } = globalThis;
  const watch = <C extends ArrayConstructor | Uint8ArrayConstructor>(type: C): C =>
    new Proxy(type, {
      construct(target, args, newTarget) {
        const [length] = args;
        if (args.length === 1 && typeof length === 'number') largest = Math.max(largest, length);
        return Reflect.construct(target, args, newTarget);
      },
    });
  globalThis.Array = watch(PlainArray);
  globalThis.Uint8Array = watch(PlainBytes);
  try {
    decode();
  } finally {
    globalThis.Array = PlainArray;
    globalThis.Uint8Array = PlainBytes;
  }
  return largest;
}
