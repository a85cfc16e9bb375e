// chaos/planted/bugs.ts
var PLANTED_BUGS = [
  {
    name: "vote not synced",
    row: "double vote",
    file: "src/raft/election.ts",
    replace: "s.reply(token, { type: 'vote', epoch: s.epoch, granted }, { afterSync: true });",
    by: "s.reply(token, { type: 'vote', epoch: s.epoch, granted }, { afterSync: false });",
    scenario: "votes",
    seedsMax: 300
  },
  {
    name: "acknowledged before the ISR has it",
    row: "the first invariant of replication",
    file: "src/replication/partition-leader.ts",
    replace: "get acknowledgedOffset(): number {\n    return this.#highWatermark;",
    by: "get acknowledgedOffset(): number {\n    return this.#log.syncedOffset;",
    scenario: "any",
    seedsMax: 50
  },
  {
    name: "truncated to the high watermark",
    row: "KIP-101",
    file: "src/replication/partition.ts",
    replace: "const synced = followed.synced();",
    by: "void log.truncateTo(log.highWatermark);\n    const synced = followed.synced();",
    scenario: "failovers",
    seedsMax: 50
  },
  {
    name: "high watermark of the old ISR",
    row: "maximal ISR (KIP-497)",
    file: "src/replication/partition-leader.ts",
    replace: "const counted = this.#isr.maximal;",
    by: "const counted = this.#isr.committed;",
    scenario: "joining",
    seedsMax: 300
  },
  {
    name: "old epoch committed by counting",
    row: "old-epoch commit (Raft figure 8)",
    file: "src/raft/commit.ts",
    replace: "if (s.log.epochAt(index) !== s.epoch) return false;",
    by: "",
    scenario: "elections",
    seedsMax: 300
  },
  {
    name: "leader counts what it has not synced",
    row: "sync order",
    file: "src/replication/partition-leader.ts",
    replace: "let offset = this.#log.syncedOffset;",
    by: "let offset = this.#log.logEndOffset;",
    scenario: "any",
    seedsMax: 50
  },
  {
    name: "follower fetches before it synced",
    row: "sync order",
    file: "src/replication/replica-fetcher.ts",
    replace: "for (const followed of touched) await followed.synced();",
    by: "",
    scenario: "any",
    seedsMax: 50
  },
  {
    name: "deposed leader fetches before it synced",
    row: "found by the simulator, seed 11",
    file: "src/replication/partition.ts",
    replace: "const synced = followed.synced();",
    by: "const synced = undefined as Promise<void> | undefined;",
    scenario: "failovers",
    seedsMax: 300
  },
  {
    name: "log not synced",
    row: "durability is the default",
    file: "src/log/log-files.ts",
    replace: "if (sync) await file.sync();",
    by: "",
    scenario: "any",
    seedsMax: 50
  },
  {
    name: "name of the data folder not synced",
    row: "found by the simulator, seed 1",
    file: "src/server/identity.ts",
    replace: "await disk.syncDir(parentOf(dir));",
    by: "",
    scenario: "any",
    seedsMax: 10
  },
  {
    name: "fenced replica joins the ISR",
    row: "KIP-841",
    file: "src/controller/in-sync-replicas.ts",
    replace: "if (!isActive(image, member.brokerId)) return false;",
    by: "",
    scenario: "joining",
    seedsMax: 300
  },
  {
    name: "repeated batch appended again",
    row: "idempotence lost on fail-over",
    file: "src/log/producer-states.ts",
    replace: "if (entry === undefined) return undefined;",
    by: "return undefined;",
    scenario: "failovers",
    seedsMax: 100
  },
  {
    name: "partition granted before it was released",
    row: "ownership",
    file: "src/coordinator/reconcile.ts",
    replace: "if (!assigned.has(key) && !input.heldByOthers.has(key)) assigned.add(key);",
    by: "if (!assigned.has(key)) assigned.add(key);",
    scenario: "any",
    seedsMax: 50
  },
  {
    name: "metadata asked for is forgotten",
    row: "found by the simulator, seed 18",
    file: "src/client/cluster.ts",
    replace: "this.#isRefreshing = false;\n    // Whatever",
    by: "void Promise.resolve().then(() => Promise.resolve()).then(() => { this.#isRefreshing = false; });\n    // Whatever",
    scenario: "failovers",
    seedsMax: 300
  }
];

// chaos/planted/hunt.ts
import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { resolve as resolve2 } from "node:path";

// chaos/planted/bundle.ts
import { readFile } from "node:fs/promises";
import { relative, resolve } from "node:path";
import { build } from "esbuild";
var ROOT = resolve(import.meta.dirname, "../..");
async function bundleWith(bug, outfile) {
  let isPlanted = false;
  await build({
    entryPoints: [resolve(ROOT, "chaos/sim/main.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    logLevel: "silent",
    plugins: [
      {
        name: "plant",
        setup: ({ onLoad }) => {
          onLoad({ filter: /\.ts$/ }, async ({ path }) => {
            const text = await readFile(path, "utf8");
            if (bug === void 0 || relative(ROOT, path) !== bug.file)
              return { contents: text, loader: "ts" };
            isPlanted = true;
            return { contents: plant(text, bug), loader: "ts" };
          });
        }
      }
    ]
  });
  if (bug !== void 0 && !isPlanted)
    throw new Error(`${bug.name}: ${bug.file} is not part of the simulator`);
}
function plant(text, { name, file, replace, by }) {
  const count = text.split(replace).length - 1;
  if (count !== 1) throw new Error(`${name}: found ${count} times in ${file}, not once: ${replace}`);
  return text.replace(replace, () => by);
}

// chaos/planted/hunt.ts
var CACHE = resolve2(import.meta.dirname, "../../node_modules/.cache/odradek");
async function hunt(bug) {
  await mkdir(CACHE, { recursive: true });
  const outfile = `${CACHE}/planted-${bug.name.replaceAll(" ", "-")}.mjs`;
  await bundleWith(bug, outfile);
  const args = [outfile, "--scenario", bug.scenario, "--seeds", `${bug.seedsMax}`, "--brief"];
  const { code, output } = await run(args);
  const found = /^(safety|liveness|crash) after (\d+) seeds: (.*)$/m.exec(output);
  if (code !== 0 && found?.[2] === void 0) throw new Error(`${bug.name}: exit code ${code}: ${output}`);
  return {
    isCaught: code !== 0,
    seeds: Number(found?.[2] ?? bug.seedsMax),
    message: found ? `${found[1]}: ${found[3]}` : "not caught"
  };
}
function run(args) {
  return new Promise((resolve3) => {
    const child = execFile(
      process.execPath,
      args,
      { maxBuffer: 2 ** 24 },
      (_, stdout, stderr) => resolve3({ code: child.exitCode ?? -1, output: stdout + stderr })
    );
  });
}

// chaos/planted/main.ts
var [wanted = ""] = process.argv.slice(2);
var missed = 0;
for (const bug of PLANTED_BUGS.filter(({ name }) => name.includes(wanted))) {
  const startedMs = performance.now();
  const { isCaught, seeds, message } = await hunt(bug);
  if (!isCaught) missed += 1;
  const seconds = ((performance.now() - startedMs) / 1e3).toFixed(1);
  console.log(`${bug.name}: ${seeds} seeds of '${bug.scenario}', ${seconds} s: ${message}`);
}
process.exit(missed === 0 ? 0 : 1);
