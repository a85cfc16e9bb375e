import { CLIENT_ADVICE, type ClientErrorCode } from '../../src/client/errors.ts';
import { adviceFor } from '../../src/protocol/error-advice.ts';
import { ERRORS } from '../../src/protocol/errors.ts';
import { markdownTable } from './markdown.ts';

/** What each code of a `ClientError` means. */
const CLIENT_MEANING: Readonly<Record<ClientErrorCode, string>> = {
  ABORTED: 'the AbortSignal of the call fired',
  BUFFER_EXHAUSTED: "the producer's buffer, and the line of those who wait for it, are full",
  CLOSED: 'the producer, consumer, admin or client was closed',
  COMMIT_FAILED: 'the group has gone on without this member',
  DELIVERY_FAILED: 'a broker refused the record for good, or the producer was closed',
  DELIVERY_TIMEOUT: 'the record was not acknowledged within deliveryTimeoutMs',
  INVALID_CONFIG: 'an option is not valid',
  INVALID_RECORD: 'the record names a partition that does not exist, or cannot be written as it is',
  INVALID_STATE: 'the call does not fit the state of the object',
  LOG_TRUNCATED: 'the log lost records that were read already',
  NO_OFFSET: 'there is no committed offset, and no policy for that',
  OFFSET_OUT_OF_RANGE: 'the position is not in the log any more, and there is no policy for that',
  SERIALIZATION_FAILED: 'a serializer or deserializer threw',
  TIMED_OUT: 'the call did not end within its time',
};

/** Codes that only a client has. */
export function clientErrorTable(): string {
  const codes = Object.keys(CLIENT_MEANING) as ClientErrorCode[];
  return markdownTable(
    ['code', 'when', 'what to do'],
    codes.map((code) => [`\`${code}\``, CLIENT_MEANING[code], CLIENT_ADVICE[code]]),
  );
}

/** Codes that come over the wire: Kafka's. */
export function kafkaErrorTable(): string {
  return markdownTable(
    ['number', 'code', 'retriable', 'meaning', 'what to do'],
    ERRORS.filter(({ name }) => name !== 'NONE').map(({ code, name, retriable, action, message }) => [
      String(code),
      `\`${name}\``,
      retriable ? 'yes' : '',
      message,
      adviceFor(name, action),
    ]),
  );
}
