/** The protocol layer in a page: no Node.js globals, and a content security policy that forbids code from strings. */

import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const entry = `
  import { decodeRequestBody, decodeRequestHeader, encodeRequest } from './codec.ts';
  import { Produce } from './messages/produce.ts';
  import { verifyBatch } from './record-batch.ts';
  import { RecordBatchBuilder } from './record-batch-builder.ts';
  import { decodeRecords } from './record-decoder.ts';
  import { uuidFrom } from './uuid.ts';

  const builder = new RecordBatchBuilder({ sizeBytesMax: 1000 });
  const value = new TextEncoder().encode('a spool of thread');
  builder.tryAppend({ timestamp: 1, key: null, value, headers: [{ key: 'näme', value: null }] });
  const topicId = uuidFrom(new Uint8Array(16));
  const topicData = [{ topicId, partitionData: [{ index: 0, records: [builder.build()] }] }];
  const request = { transactionalId: 'x'.repeat(100), acks: -1, timeoutMs: 1000, topicData };
  const body = decodeRequestBody(Produce, decodeRequestHeader(encodeRequest(Produce, 0, 1, 'page', request)));
  const [batch] = body.topicData[0].partitionData[0].records;
  verifyBatch(batch);
  globalThis.result = new TextDecoder().decode(decodeRecords(batch)[0].value);
`;

test('encodes and decodes', async () => {
  const bundle = await build({
    stdin: { contents: entry, resolveDir: fileURLToPath(new URL('../../src/protocol', import.meta.url)) },
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'iife',
  });
  // As in a page, the text coders and the byte arrays are of one realm; of Node.js there is nothing.
  const globals = { TextEncoder, TextDecoder, Uint8Array, DataView, ArrayBuffer };
  const page = createContext({ ...globals }, { codeGeneration: { strings: false, wasm: false } });
  runInContext(bundle.outputFiles[0]?.text ?? '', page);
  expect(page.result).toBe('a spool of thread');
});
