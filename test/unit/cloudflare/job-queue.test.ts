import { describe, expect, it } from "vitest";
import { Beside } from "../../../src/cloudflare/beside.ts";
import { type JobEnd, type JobHost, runJobs } from "../../../src/cloudflare/job-queue.ts";
import type { Job } from "../../../src/events/job.ts";

/** Lets whatever is ready go on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it("deliveries to silent receivers hold up few of the others, and no other job", async () => {
  const asked: string[] = [];
  const done: string[] = [];
  const acknowledged: string[] = [];
  const open: (() => void)[] = [];
  const storage = {
    hooks: (repository: string) => ({
      takeDeliveries: async () => {
        asked.push(repository);
        if (repository.startsWith("evil/")) await new Promise<void>((resolve) => open.push(resolve));
        done.push(repository);
        return undefined;
      },
    }),
    repository: () => undefined,
    refs: () => ({ prefixDeleted: async () => undefined }),
    snapshots: { delete: async () => undefined },
    bareFiles: () => ({ list: async () => ({ keys: [], more: false }), delete: async () => undefined }),
    counters: { counts: () => ({}) },
    takeKernelBytes: () => 0,
    reportDamage: async () => [],
  };
  const job = (body: Job): Message => {
    const name = `${body.type} ${body.repository}`;
    const message = {
      body,
      ack: () => void acknowledged.push(name),
      retry: () => void acknowledged.push(`again ${name}`),
    };
    return message as unknown as Message;
  };
  const deliver = (repository: string): Message => job({ type: "deliver", repository, id: "1", hook: "h" });
  const silent = Array.from({ length: 4 }, (_, n) => deliver(`evil/${n}`));
  const others = ["acme/one", "acme/two", "acme/three"].map(deliver);
  const batch = { queue: "thinpack-jobs", messages: [...silent, ...others] } as unknown as MessageBatch;
  const host = {
    open: () => storage,
    agent: "",
    allowPrivate: false,
    onFault: () => undefined,
    onEnd: () => undefined,
  };
  const running = runJobs(batch, host as unknown as JobHost);
  await settle();
  expect(asked.filter((name) => name.startsWith("evil/"))).toHaveLength(4);
  expect(done).toEqual(["acme/one", "acme/two", "acme/three"]);
  expect(acknowledged).toHaveLength(3);
  for (const answer of open) answer();
  await running;
  expect(acknowledged).toHaveLength(7);
});

it("work runs beside other work, up to the bound", async () => {
  const beside = new Beside(2);
  const ends: (() => void)[] = [];
  const kept: Promise<void>[] = [];
  const begin = async (): Promise<void> =>
    await beside.begin(
      async () => await new Promise<void>((resolve) => ends.push(resolve)),
      (work) => kept.push(work),
    );
  await begin();
  let hasRoom = false;
  const second = begin().then(() => (hasRoom = true));
  await settle();
  expect([ends.length, hasRoom]).toEqual([2, false]);
  ends[0]?.();
  await second;
  expect(hasRoom).toBe(true);
  ends[1]?.();
  await Promise.all(kept);
});

describe("a job that fails", () => {
  const ID = "1".repeat(32);
  const failing = async (): Promise<never> => {
    throw new Error("the file is not there");
  };
  const JOBS: readonly Job[] = [
    { type: "maintenance", repository: "acme/one", id: ID },
    { type: "server-info", repository: "acme/one", id: ID },
    { type: "mirror-sync", repository: "acme/one", id: ID },
    { type: "deliver", repository: "acme/one", id: ID, hook: "h" },
  ];

  /** Runs a job whose files are not there, on a name that has a repository with an id. Gives what came of it. */
  async function run(body: Job, described: () => Promise<{ id: string } | undefined>) {
    const refs = {
      describe: described,
      open: failing,
      // A step that looks for a pack which is not there.
      beginMaintenance: async () => ({ kind: "begun", step: "bitmap", record: { id: ID }, packs: [] }),
      endMaintenance: async () => undefined,
    };
    const storage = {
      refs: () => refs,
      repository: () => ({ refs, now: () => 0, random: () => new Uint8Array(20), storage: () => undefined }),
      lfs: () => undefined,
      bareFiles: () => undefined,
      hooks: () => ({ takeDeliveries: failing }),
      syncMirror: async () => ({ kind: "failed", why: "It failed on our side.", fault: new Error("not there") }),
      counters: { counts: () => ({}) },
      takeKernelBytes: () => 0,
      reportDamage: async () => [],
    };
    const faults: string[] = [];
    const ends: JobEnd[] = [];
    const said: string[] = [];
    const message = { body, ack: () => said.push("done"), retry: () => said.push("again") };
    const host = {
      open: () => storage,
      onFault: (where: string) => faults.push(where),
      onEnd: (end: JobEnd) => ends.push(end),
    };
    await runJobs({ messages: [message] } as unknown as MessageBatch, host as unknown as JobHost);
    return { faults, said, outcome: ends[0]?.outcome };
  }

  it.each(JOBS)("is no fault where its repository was deleted below it: $type", async (job) => {
    const gone = { faults: [], said: ["done"], outcome: "gone" };
    expect(await run(job, async () => undefined)).toEqual(gone);
    // Another has taken the name.
    expect(await run(job, async () => ({ id: "2".repeat(32) }))).toEqual(gone);
  });

  it.each(JOBS)("is a fault where its repository is there, or can't be asked: $type", async (job) => {
    for (const described of [async () => ({ id: ID }), failing]) {
      const { faults, outcome } = await run(job, described);
      expect(faults).toHaveLength(1);
      expect(outcome).not.toBe("gone");
    }
  });
});

it.each([
  ["doomed", { kind: "doomed" }, ["HEAD"]],
  ["here again", { kind: "here" }, []],
  // It came back, and was renamed: its files lie where they lay.
  ["of another name by now", { kind: "moved", to: "acme/two" }, []],
  ["unknown", { kind: "unknown" }, []],
])("deletes the files of a repository that is %s, and none else", async (_, whereabouts, gone) => {
  const id = "1".repeat(32);
  const deleted: string[] = [];
  const storage = {
    repository: () => undefined,
    refs: () => ({ describe: async () => undefined, prefixDeleted: async () => undefined }),
    backup: { object: () => ({ whereabouts: async () => whereabouts }) },
    snapshots: { delete: async () => undefined },
    bareFiles: () => ({
      list: async () => ({ files: [{ name: "HEAD" }] }),
      delete: async (names: readonly string[]) => void deleted.push(...names),
    }),
    counters: { counts: () => ({}) },
    takeKernelBytes: () => 0,
    reportDamage: async () => [],
  };
  const said: string[] = [];
  const body: Job = { type: "delete-prefix", repository: "acme/one", id };
  const message = { body, ack: () => said.push("done"), retry: () => said.push("again") };
  const host = { open: () => storage, onFault: () => undefined, onEnd: () => undefined };
  await runJobs({ messages: [message] } as unknown as MessageBatch, host as unknown as JobHost);
  expect([deleted, said]).toEqual([gone, ["done"]]);
});
