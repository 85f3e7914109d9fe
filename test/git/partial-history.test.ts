/**
 * Shallow and partial clones. What the client has afterwards is compared with what the same commands give it from C git itself: the
 * same cuts, the same refs, the same objects.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GitSandbox } from "../support/git-client.ts";
import { FixtureStream, everything, importFixture } from "../support/git-fixtures.ts";
import { type Journey, inEveryFormat } from "../support/git-hosts.ts";

/** Branches that part and join, with commits made out of the order of their times, and tags. */
function tangled(): FixtureStream {
  const stream = new FixtureStream();
  const marks: string[] = [];
  for (let at = 0; at < 40; at++) {
    const branch = at % 7 === 3 ? "refs/heads/side" : at % 11 === 5 ? "refs/heads/other" : "refs/heads/main";
    const files = [
      { path: `dir-${at % 3}/sub/file-${at % 5}.txt`, content: `version ${at}\n`.repeat(at + 1) },
      { path: `at-${at % 13}`, content: `${at}\n` },
    ];
    const from = branch === "refs/heads/main" ? undefined : marks[at - 2];
    const merge = at % 8 === 7 ? marks[at - 4] : undefined;
    marks.push(
      stream.commit(branch, files, {
        ...(from === undefined ? {} : { from }),
        ...(merge === undefined ? {} : { merge }),
      }),
    );
    if (at % 9 === 4) stream.tag(`v${at}`, marks[at] ?? "");
  }
  return stream;
}

/** The state of a client: where its history is cut, its refs, and every object it has. */
async function stateOf(git: GitSandbox, cwd: string): Promise<unknown> {
  const shallow = join(cwd, "shallow");
  const objects = await git.ok(["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"], { cwd });
  return {
    shallow: existsSync(shallow) ? readFileSync(shallow, "utf8").trim().split("\n").toSorted() : [],
    refs: (await git.ok(["for-each-ref"], { cwd })).split("\n"),
    objects: objects.split("\n").toSorted(),
  };
}

type Steps = readonly (readonly string[])[];

/** Runs the steps against a remote; the first clones, the others are run in the clone. */
async function clientAfter(git: GitSandbox, url: string, version: string, steps: Steps): Promise<string> {
  const directory = git.fresh("client");
  for (const [at, step] of steps.entries()) {
    const args = ["-c", `protocol.version=${version}`, ...step];
    if (at === 0) await git.ok([...args, "--bare", url, directory]);
    else await git.ok(args, { cwd: directory });
  }
  return directory;
}

const SINCE = "1700001000 +0000";
const shallowJourneys: Record<string, Steps> = {
  "depth 1": [["clone", "--depth=1"]],
  "depth 1 of all branches": [["clone", "--depth=1", "--no-single-branch"]],
  "depth 5": [["clone", "--depth=5"]],
  "depth past the root": [["clone", "--depth=1000"]],
  "depth of a tag": [["clone", "--depth=2", "--branch=v13"]],
  "deepen step by step": [
    ["clone", "--depth=1"],
    ["fetch", "--deepen=2"],
    ["fetch", "--deepen=5"],
    ["fetch", "--depth=4"],
  ],
  "deepen, then all of it": [
    ["clone", "--depth=3", "--no-single-branch"],
    ["fetch", "--deepen=3"],
    ["fetch", "--unshallow"],
  ],
  "since a time": [["clone", `--shallow-since=${SINCE}`]],
  "since a time, then deeper": [
    ["clone", `--shallow-since=${SINCE}`, "--no-single-branch"],
    ["fetch", "--shallow-since=1700000500 +0000"],
    ["fetch", "--unshallow"],
  ],
  "without a tag's history": [["clone", "--shallow-exclude=v13"]],
  "without two refs' history": [
    ["clone", "--no-single-branch", "--shallow-exclude=v4", "--shallow-exclude=refs/tags/v22"],
    ["fetch", "--deepen=2"],
  ],
  "without a branch's history, since a time": [["clone", "--shallow-exclude=side", `--shallow-since=${SINCE}`]],
  "another branch into a shallow clone": [
    ["clone", "--depth=2"],
    ["fetch", "--depth=2", "origin", "side:side"],
    ["fetch", "origin", "other:other"],
  ],
  "depth and a filter": [["clone", "--depth=3", "--filter=blob:none"]],
  "depth and tree:0": [["clone", "--depth=3", "--filter=tree:0"]],
};

const FILTERS = [
  "blob:none",
  "blob:limit=0",
  "blob:limit=100",
  "blob:limit=1k",
  "blob:limit=64",
  "tree:0",
  "tree:1",
  "tree:2",
  "tree:3",
  "object:type=commit",
  "object:type=tree",
  "object:type=blob",
  "object:type=tag",
  "combine:blob:none+tree:2",
  "combine:tree:3+blob:limit=100",
];

/** What C git's own upload-pack gives, over a path. */
function reference(git: GitSandbox, stream: FixtureStream, name: string): Promise<string> {
  return importFixture(git, name, stream).then(async (directory) => {
    for (const setting of ["allowFilter", "allowAnySHA1InWant"]) {
      await git.ok(["config", `uploadpack.${setting}`, "true"], { cwd: directory });
    }
    return directory;
  });
}

async function pushed(journey: Journey, source: string): Promise<string> {
  const url = await journey.create();
  await journey.git.ok(["push", "-q", "--mirror", url], { cwd: source });
  return url;
}

inEveryFormat(
  "history in part",
  (journey) => {
    let git: GitSandbox;
    let source = "";
    let url = "";
    beforeAll(async () => {
      git = new GitSandbox("reference", journey.format.name);
      source = await reference(git, tangled(), "tangled");
      url = await pushed(journey, source);
    });
    afterAll(() => git.close());

    // what an object is called makes no difference to what is chosen, only to how it is said: see the other journeys
    const versions = journey.format.name === "sha256" ? ["2"] : ["0", "1", "2"];
    describe.each(versions)("protocol.version=%s", (version) => {
      it.each(Object.entries(shallowJourneys))("%s", async (_, steps) => {
        const [expected, found] = await Promise.all([
          clientAfter(git, `file://${source}`, version, steps),
          clientAfter(git, url, version, steps),
        ]);
        await git.ok(["fsck", "--strict", "--connectivity-only"], { cwd: found });
        expect(await stateOf(git, found)).toEqual(await stateOf(git, expected));
      });

      it.each(FILTERS)("--filter=%s", async (filter) => {
        for (const extra of [[], ["--single-branch", "--branch=side"]]) {
          const steps = [["clone", "--no-local", `--filter=${filter}`, ...extra]];
          const expected = await clientAfter(git, `file://${source}`, version, steps);
          const found = await clientAfter(git, url, version, steps);
          expect({ extra, state: await stateOf(git, found) }).toEqual({ extra, state: await stateOf(git, expected) });
        }
      });
    });

    it("fetches what it needs from a partial clone, one by one and many at once", async () => {
      const client = git.fresh("lazy");
      await git.ok(["clone", "-q", "--filter=blob:none", url, client]);
      await git.ok(["checkout", "-q", "HEAD~5"], { cwd: client });
      await git.ok(["log", "-p", "--all", "--stat"], { cwd: client });
      const treeless = git.fresh("treeless");
      await git.ok(["clone", "-q", "--filter=tree:0", url, treeless]);
      await git.ok(["rev-list", "--objects", "--all", "--quiet"], { cwd: treeless });
      await git.fsck(treeless);
      await git.ok(["fetch", "-q", "--refetch", "--no-filter"], { cwd: client });
      await git.fsck(client);
    });

    it("goes on fetching into a partial clone", async () => {
      const own = await journey.create();
      await git.ok(["push", "-q", own, "main~9:refs/heads/main"], { cwd: source });
      const client = git.fresh("follower");
      await git.ok(["clone", "-q", "--filter=blob:none", own, client]);
      await git.ok(["push", "-q", own, "main", "side"], { cwd: source });
      await git.ok(["pull", "-q", "--ff-only"], { cwd: client });
      await git.ok(["fetch", "-q", "--filter=tree:1", "origin", "side"], { cwd: client });
      expect(await git.ok(["rev-parse", "HEAD"], { cwd: client })).toBe(
        await git.ok(["rev-parse", "main"], { cwd: source }),
      );
      expect(await git.ok(["status", "--porcelain"], { cwd: client })).toBe("");
    });

    it("pushes from a shallow clone and fetches into it", async () => {
      const own = await pushed(journey, source);
      const [client, other] = [git.fresh("shallow"), git.fresh("full")];
      await git.ok(["clone", "-q", "--depth=1", own, client]);
      const tip = await git.commit(client, "new.txt", "from a shallow clone\n");
      await git.ok(["push", "-q", "origin", "main"], { cwd: client });
      await git.ok(["clone", "-q", own, other]);
      expect(await git.ok(["rev-parse", "HEAD"], { cwd: other })).toBe(tip);
      await git.fsck(other);
      const next = await git.commit(other, "next.txt", "from the full clone\n");
      await git.ok(["push", "-q", "origin", "main"], { cwd: other });
      await git.ok(["pull", "-q", "--ff-only"], { cwd: client });
      expect(await git.ok(["rev-parse", "HEAD"], { cwd: client })).toBe(next);
      await git.fsck(client);
    });

    it("sends a blob or a tree that a tag names, whatever the filter", async () => {
      const odd = await reference(git, everything(journey.format), git.fresh("odd").split("/").at(-1) ?? "odd");
      const own = await pushed(journey, odd);
      for (const filter of ["blob:none", "tree:0", "tree:1", "blob:limit=3", "object:type=commit"]) {
        const steps = [["clone", "--no-local", `--filter=${filter}`]];
        const expected = await clientAfter(git, `file://${odd}`, "2", steps);
        const found = await clientAfter(git, own, "2", steps);
        expect({ filter, state: await stateOf(git, found) }).toEqual({ filter, state: await stateOf(git, expected) });
      }
    });
  },
  ["thinpack"],
);
