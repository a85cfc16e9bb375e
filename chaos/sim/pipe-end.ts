import type { ConnectionHandlers } from '../../src/platform/ports.ts';
import type { Incarnation } from './node.ts';

export type SideName = 'a' | 'b';

/** What one end of a connection is made of. */
export interface SimSide {
  readonly owner: Incarnation;
  readonly handlers: ConnectionHandlers | undefined;
  readonly messageBytesMax: number;
  /** On the accepting side: tells the listener, which answers with its handlers. */
  readonly accept?: () => ConnectionHandlers;
}

/** Something on its way in one direction; `arrive` runs on the receiving side. */
export interface Frame {
  readonly label: string;
  /** Of a message; 0 of anything else. */
  readonly checksum: number;
  readonly bytes: number;
  readonly dueMs: number;
  readonly arrive: () => void;
}

/** One end of a pipe and what it sent that has not arrived yet. */
export class End {
  readonly name: SideName;
  readonly nodeName: string;
  side: SimSide | undefined;
  handlers: ConnectionHandlers | undefined;
  /** `closing`: closed here, and its `onClose` is on its way. */
  state: 'connecting' | 'open' | 'closing' | 'closed' = 'connecting';
  reading = true;
  /** Sent by this end, in order of arrival. */
  outgoing: Frame[] = [];
  outgoingBytes = 0;
  lastDueMs = 0;
  /** Messages sent before the connection stood. */
  readonly unsent: (readonly Uint8Array[])[] = [];
  /** Counts the times that this end began or ceased to hear nothing from its peer. */
  silence = 0;
  silent = false;
  /** Which way its frames travel, for the trace. */
  route = '';
  pump: () => void = () => {};

  constructor(name: SideName, nodeName: string) {
    this.name = name;
    this.nodeName = nodeName;
  }

  /** Loses all frames under way but the first `kept`. */
  drop(kept: number): void {
    for (const frame of this.outgoing.splice(kept)) this.outgoingBytes -= frame.bytes;
  }
}
