import type { Metric } from '../platform/ports.ts';

export const TRANSPORT_METRICS = {
  requests: {
    name: 'odradek_requests_total',
    type: 'counter',
    labels: ['api', 'listener'],
    help: 'Requests taken up',
  },
  seconds: {
    name: 'odradek_request_seconds',
    type: 'histogram',
    labels: ['api', 'listener', 'stage'],
    help:
      'Time of a request by stage: queue (received, held back by a limit of its connection), handle (until there is an ' +
      'answer, waiting for replicas or records included), send (encoding it and handing it to the socket)',
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    worry: 'queue is not near 0, or handle of Produce is far above odradek_fsync_seconds',
  },
  errors: {
    name: 'odradek_request_errors_total',
    type: 'counter',
    labels: ['api', 'listener', 'error'],
    help: 'Requests taken up with an error as a whole',
    worry: 'UNKNOWN_SERVER_ERROR is among them: a bug, and the log has its trace',
  },
  bytesReceived: {
    name: 'odradek_received_bytes_total',
    type: 'counter',
    labels: ['listener'],
    help: 'Bytes of requests',
  },
  bytesSent: {
    name: 'odradek_sent_bytes_total',
    type: 'counter',
    labels: ['listener'],
    help: 'Bytes of answers',
  },
  connections: {
    name: 'odradek_connections',
    type: 'gauge',
    labels: ['listener'],
    help: 'Connections that stand',
    worry: 'it nears limits.connectionsMax',
  },
  opened: {
    name: 'odradek_connections_opened_total',
    type: 'counter',
    labels: ['listener'],
    help: 'Connections accepted',
    worry: 'it grows fast while odradek_connections does not: clients connect anew for every request',
  },
  refused: {
    name: 'odradek_connections_refused_total',
    type: 'counter',
    labels: ['listener', 'reason'],
    help: 'Connections refused: there are too many (connectionsMax), or a page of another origin asked (origin)',
    worry: 'it grows',
  },
  waiting: {
    name: 'odradek_requests_waiting',
    type: 'gauge',
    labels: ['listener'],
    help: 'Requests received and not started, because their connection is at a limit',
    worry: 'it stays above 0',
  },
  inFlight: {
    name: 'odradek_requests_in_flight',
    type: 'gauge',
    labels: ['listener'],
    help: 'Requests started and not answered, long polls included',
  },
  buffered: {
    name: 'odradek_send_buffer_bytes',
    type: 'gauge',
    labels: ['listener'],
    help: 'Bytes of answers that clients have not read yet',
    worry: 'it keeps growing: clients are slower than what they ask for',
  },
  held: {
    name: 'odradek_connection_buffers_bytes',
    type: 'gauge',
    help: 'Bytes of unread answers and of unfinished messages, of all connections of all listeners',
    worry: 'it nears odradek_connection_buffers_limit_bytes',
  },
  heldMax: {
    name: 'odradek_connection_buffers_limit_bytes',
    type: 'gauge',
    help: 'What they may be (limits.connectionBuffersBytesMax)',
  },
  ended: {
    name: 'odradek_connections_ended_total',
    type: 'counter',
    help: 'Connections ended because the buffers of all were full, and theirs was the largest',
    worry: 'it grows: clients do not read what they ask for, or do not finish what they send',
  },
  throttles: {
    name: 'odradek_connection_throttles_total',
    type: 'counter',
    labels: ['listener'],
    help: 'Times that the node stopped reading from a connection that was at a limit',
    worry: 'it grows steadily: clients ask for more than they read, or more than the node can do',
  },
} satisfies Record<string, Metric>;
