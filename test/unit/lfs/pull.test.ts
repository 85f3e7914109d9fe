/** How much of a mirror's Git LFS objects one step fetches, and what it says to the next. */
import { expect, it } from "vitest";
import { type PullAllInput, pullAll } from "../../../src/lfs/pull.ts";
import type { LfsObject, LfsRequest } from "../../../src/refs/lfs-store.ts";
import type { MirrorLfs } from "../../../src/refs/mirror-store.ts";

const OBJECTS: readonly LfsObject[] = Array.from({ length: 9 }, (_, i) => ({ oid: String(i).repeat(64), size: 10 }));

/** A mirror of an upstream that has all of {@link OBJECTS}, and gives of them what `gives` says. Each look at the clock takes a turn. */
function input(gives: (object: LfsObject) => boolean, turns: number): PullAllInput {
  let looks = 0;
  const progress = { objects: 0, missing: 0, looked: [], complete: true };
  return {
    id: "one",
    home: "acme",
    progress,
    tools: {
      upstream: {
        offers: async (objects) => new Map(objects.map(({ oid, size }) => [oid, size])),
        open: async (object) => (gives(object) ? new ReadableStream() : undefined),
        mostBytes: async () => undefined,
      },
      store: {
        lfs: async (request: LfsRequest) => {
          const count = "objects" in request ? request.objects.length : 1;
          const kind = request.kind === "keep" ? "stored" : "announced";
          const outcome = request.kind === "find" ? ({ kind: "missing" } as const) : { kind, size: 10, home: "acme" };
          const outcomes = request.kind === "find" ? request.oids.map(() => outcome) : Array(count).fill(outcome);
          return { kind: "found", outcomes } as never;
        },
      },
      links: () => ({ linkLfs: async () => "linked" }),
      files: () => ({ write: async () => "written" }),
    },
    next: async () => ({ objects: OBJECTS, progress }),
    note: async () => undefined,
    isTimeUp: () => ++looks > turns,
    random: () => 0,
  };
}

it("a step in which objects came goes on at once when its time is up", async () => {
  expect(await pullAll(input(() => true, 1))).toBe("more");
});

it("a step in which none came waits for the next sync of the schedule, whatever the upstream says that it has", async () => {
  expect(await pullAll(input(() => false, 1))).toBe("failed");
});

it("an object that the upstream does not give holds up nothing", async () => {
  expect(await pullAll(input(({ oid }) => !oid.startsWith("0"), 100))).toBe("done");
});

it("an object that comes slowly holds up no other, and is counted as missing once it is given up", async () => {
  const slow = Promise.withResolvers<"broken">();
  const written: string[] = [];
  const all = input(() => true, 100);
  const files = (): ReturnType<typeof all.tools.files> => ({
    write: async ({ oid }) => {
      if (oid === OBJECTS[0]?.oid) return await slow.promise;
      written.push(oid);
      if (written.length === OBJECTS.length - 1) slow.resolve("broken");
      return "written";
    },
  });
  const noted: MirrorLfs[] = [];
  const note = async (progress: MirrorLfs): Promise<void> => void noted.push(progress);
  expect(await pullAll({ ...all, note, tools: { ...all.tools, files } })).toBe("done");
  expect(noted.at(-1)).toMatchObject({ objects: OBJECTS.length - 1, missing: 1 });
});

it("each step begins with another object, so that none waits behind slow ones for ever", async () => {
  const asked: string[] = [];
  const all = input(() => true, 3);
  const open = async (object: LfsObject): Promise<undefined> => void asked.push(object.oid);
  const upstream = { ...all.tools.upstream, open };
  await pullAll({ ...all, random: (below) => below - 2, tools: { ...all.tools, upstream } });
  expect(asked).toEqual([OBJECTS[7]?.oid, OBJECTS[8]?.oid, OBJECTS[0]?.oid]);
});

it("no further object is asked for once the store has failed, and the failure waits for those under way", async () => {
  const asked: string[] = [];
  const slow = Promise.withResolvers<"written">();
  const all = input(() => true, 100);
  const open = async (object: LfsObject): Promise<ReadableStream> => {
    asked.push(object.oid);
    return new ReadableStream();
  };
  const files = (): ReturnType<typeof all.tools.files> => ({
    write: async ({ oid }) => {
      if (oid === OBJECTS[0]?.oid) throw new Error("the store fails");
      return await slow.promise;
    },
  });
  const tools = { ...all.tools, files, upstream: { ...all.tools.upstream, open } };
  let hasFailed = false;
  const ended = pullAll({ ...all, tools }).catch((error: unknown) => {
    hasFailed = true;
    return error;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(hasFailed).toBe(false);
  slow.resolve("written");
  expect(await ended).toEqual(new Error("the store fails"));
  await new Promise((resolve) => setImmediate(resolve));
  expect(asked).toEqual(OBJECTS.slice(0, 3).map(({ oid }) => oid));
});
