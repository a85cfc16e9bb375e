import { get } from 'node:http';
import { connect } from 'node:net';

export interface Readiness {
  readonly ready: boolean;
  /** What the node still waits for. */
  readonly reason: string;
}

const ANSWER_TIMEOUT_MS = 1000;

/** Asks a node whether it serves. (Not by `fetch`: loading that costs more than the question.) */
export function askReadiness(host: string, port: number): Promise<Readiness> {
  return new Promise((resolve) => {
    const request = get(
      { host, port, path: '/readyz', agent: false, timeout: ANSWER_TIMEOUT_MS },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (text: string) => {
          body += text;
        });
        response.on('end', () => resolve({ ready: response.statusCode === 200, reason: body.trim() }));
        response.on('error', () => resolve({ ready: false, reason: 'its listener to answer' }));
      },
    );
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve({ ready: false, reason: 'its listener to open' }));
  });
}

/** Whether something listens there. */
export function isListening(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const answer = (listening: boolean) => {
      socket.destroy();
      resolve(listening);
    };
    socket.on('connect', () => answer(true));
    socket.on('error', () => answer(false));
  });
}
