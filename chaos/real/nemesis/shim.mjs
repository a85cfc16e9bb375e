/**
 * Loaded into the process of a node under test before anything else (`node --import`), and nowhere else: it has the node dial
 * proxies in place of its peers, and has its disk fail as a control file says. The product knows nothing of it.
 *
 * The file is named by CHAOS_CONTROL and read again whenever it changes:
 *   { "connect": { "127.0.0.1:7002": "127.0.0.1:23456" },
 *     "disk": [{ "operation": "write" | "sync" | "read", "path": "regular expression", "chance": 0.5,
 *                "error": "EIO" | "ENOSPC" (none: it only takes long), "delayMs": 100 }] }
 */
import { readFileSync, statSync } from 'node:fs';
import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { Socket } from 'node:net';
import { constants } from 'node:os';

const path = process.env.CHAOS_CONTROL;
const LOOK_AGAIN_MS = 20;
const OPERATIONS = { write: 'write', writev: 'write', datasync: 'sync', sync: 'sync', truncate: 'write', read: 'read' };

let control = { connect: {}, disk: [] };
let version = -1;

function look() {
  try {
    const { mtimeMs } = statSync(path);
    if (mtimeMs === version) return;
    const { connect = {}, disk = [] } = JSON.parse(readFileSync(path, 'utf8'));
    control = { connect, disk: disk.map((fault) => ({ ...fault, path: new RegExp(fault.path) })) };
    version = mtimeMs;
  } catch {
    // It is being replaced; the next look finds it.
  }
}

function patchSockets() {
  const original = Socket.prototype.connect;
  Socket.prototype.connect = function connect(...args) {
    // `net.connect` hands over its arguments as a list, normalized already.
    const [options] = Array.isArray(args[0]) ? args[0] : args;
    const instead = options?.port === undefined ? undefined : control.connect[`${options.host}:${options.port}`];
    if (instead !== undefined) {
      const colon = instead.lastIndexOf(':');
      options.host = instead.slice(0, colon);
      options.port = Number(instead.slice(colon + 1));
    }
    return original.apply(this, args);
  };
}

/** What has to happen first: an error, or a pause. */
async function suffer(operation, file) {
  for (const { operation: of, path, chance, error, delayMs } of control.disk) {
    if (of !== operation || !path.test(file) || Math.random() >= chance) continue;
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    if (error === undefined) continue;
    const message = `${error}: a planned fault, ${operation} '${file}'`;
    throw Object.assign(new Error(message), { code: error, errno: -constants.errno[error], syscall: operation, path: file });
  }
}

function patchFiles() {
  const { open } = fsPromises;
  fsPromises.open = async (file, ...args) => {
    const handle = await open(file, ...args);
    for (const [method, operation] of Object.entries(OPERATIONS)) {
      const original = handle[method];
      handle[method] = async (...given) => {
        if (control.disk.length > 0) await suffer(operation, String(file));
        return original.apply(handle, given);
      };
    }
    return handle;
  };
  syncBuiltinESMExports();
}

if (path !== undefined) {
  look();
  setInterval(look, LOOK_AGAIN_MS).unref();
  patchSockets();
  patchFiles();
}
