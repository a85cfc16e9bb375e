import type { Server, Socket } from 'node:net';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  readonly backlog: number;
}

/**
 * Where a node's sockets come from. Several nodes in one process (`odradek/testing`) each hand in their own: it binds to
 * a port that is held already, and ends or freezes all sockets of one node, as the kernel does with a process.
 */
export interface Sockets {
  /** Has the server listen; its `listening` or `error` event follows. */
  listen(server: Server, address: ListenAddress): void;
  /** A connection is being opened from here. */
  dialed(socket: Socket): void;
}

export const systemSockets: Sockets = {
  listen: (server, address) => {
    server.listen(address);
  },
  dialed: () => {},
};
