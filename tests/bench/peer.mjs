// Measures a task queue of somebody else, as `tasks.rs` measures ours: prints one JSON object.
//
//     node peer.mjs graphile-worker|pg-boss NODE_MODULES POSTGRES_URL SINGLE CLIENTS BULK BATCH PICKUPS
//
// Each runs in its fastest way that is documented: claims and completions in batches.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [name, modules, url, ...numbers] = process.argv.slice(2);
const [single, clients, bulk, batch, pickups] = numbers.map(Number);
const require = createRequire(`${modules}/`);
const load = (module) => import(pathToFileURL(require.resolve(module)));

/// What jobs do: nothing but to be counted.
let started = () => {};
const counter = () => {
  let seen = 0;
  return (wanted) =>
    new Promise((resolve) => {
      started = (count) => {
        seen += count;
        if (seen >= wanted) resolve();
      };
    });
};

async function graphileWorker() {
  const { Logger, makeWorkerUtils, run } = await load("graphile-worker");
  const logger = new Logger(() => () => {});
  const utils = await makeWorkerUtils({ connectionString: url, maxPoolSize: clients, logger });
  await utils.migrate();
  const preset = {
    worker: {
      logger,
      connectionString: url,
      maxPoolSize: 10,
      concurrentJobs: 64,
      pollInterval: 2000,
      localQueue: { size: 500 },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
    },
  };
  let runner;
  return {
    add: () => utils.addJob("nothing", { text: "x" }),
    addMany: (count) =>
      utils.addJobs(Array.from({ length: count }, () => ({ identifier: "nothing", payload: { text: "x" } }))),
    work: async () => {
      runner = await run({ preset, noHandleSignals: true, taskList: { nothing: async () => started(1) } });
    },
    left: async () => {
      const count = "SELECT count(*)::int AS n FROM graphile_worker._private_jobs";
      return (await utils.withPgClient((client) => client.query(count))).rows[0].n;
    },
    rest: () => runner.stop(),
    close: () => utils.release(),
  };
}

async function pgBoss() {
  const PgBoss = (await load("pg-boss")).default;
  const boss = new PgBoss({ connectionString: url, max: clients + 10, supervise: false, schedule: false });
  boss.on("error", (error) => console.error(error));
  await boss.start();
  await boss.createQueue("nothing");
  return {
    add: () => boss.send("nothing", { text: "x" }),
    addMany: (count) =>
      boss.insert(Array.from({ length: count }, () => ({ name: "nothing", data: { text: "x" } }))),
    // It polls at most twice a second, so its own loop takes a batch in each poll; fetching by hand does not wait.
    work: async () => {
      await boss.work("nothing", { batchSize: 256, pollingIntervalSeconds: 0.5 }, async (jobs) => started(jobs.length));
    },
    drain: async () => {
      const one = async () => {
        for (;;) {
          const jobs = await boss.fetch("nothing", { batchSize: 256 });
          if (!jobs || jobs.length === 0) return;
          await boss.complete("nothing", jobs.map((job) => job.id));
        }
      };
      await Promise.all(Array.from({ length: 4 }, one));
    },
    left: async () => boss.getQueueSize("nothing", { before: "completed" }),
    rest: () => boss.offWork("nothing"),
    close: () => boss.stop({ graceful: false }),
  };
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const rate = (count, since) => count / ((performance.now() - since) / 1000);

const queue = await { "graphile-worker": graphileWorker, "pg-boss": pgBoss }[name]();
let since = performance.now();
await Promise.all(
  Array.from({ length: clients }, async (_, index) => {
    for (let number = index; number < single; number += clients) await queue.add();
  }),
);
const singly = rate(single, since);

since = performance.now();
for (let number = 0; number < bulk; number += batch) await queue.addMany(Math.min(batch, bulk - number));
const inBulk = rate(bulk, since);

since = performance.now();
if (queue.drain) await queue.drain();
else await queue.work();
while ((await queue.left()) > 0) await pause(20);
const drained = rate(single + bulk, since);
if (queue.drain) await queue.work();

const delays = [];
for (let number = 0; number < pickups; number += 1) {
  await pause(5);
  const picked = counter()(1);
  const asked = performance.now();
  await queue.add();
  await picked;
  delays.push(performance.now() - asked);
}
delays.sort((a, b) => a - b);
await queue.rest();
await queue.close();
const at = (share) => delays[Math.min(delays.length - 1, Math.floor(delays.length * share))];
console.log(JSON.stringify({ singly, in_bulk: inBulk, drained, p50_ms: at(0.5), p99_ms: at(0.99) }));
