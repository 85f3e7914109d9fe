/**
 * The journey that every client makes, on every host: C git's server proves that the client can.
 *
 * @packageDocumentation
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { exportRepository } from "../export.ts";
import { refsAt, refsOf } from "../git-client.ts";
import { everything, importFixture, linear } from "../git-fixtures.ts";
import { type Journey, onEveryHost } from "../git-hosts.ts";
import type { GitProgram, Remote } from "./git-client-program.ts";

/** Commits of the history that is not small: some 2,500 objects. */
const MANY = 500;

/** Takes the credentials out of a URL. */
function remoteOf(url: string): Remote {
  const bare = new URL(url);
  const token = bare.password;
  bare.username = "";
  bare.password = "";
  return { url: bare.href, token };
}

/** Checks what the host has in the end: a clone of it and, where it is ours, what lies in the bucket. */
async function checkHost(journey: Journey, url: string): Promise<void> {
  const { git } = journey;
  const copy = git.fresh("end");
  await git.ok(["clone", "-q", "--mirror", url, copy]);
  await git.fsck(copy);
  if (journey.host !== "thinpack") return;
  const path = new URL(url).pathname.replace(/\.git$/, "");
  const exported = git.fresh("exported");
  await exportRepository(`${journey.base}/api/v1/repos${path}`, journey.token, exported);
  await git.fsck(exported);
  expect(await refsOf(git, exported)).toEqual(await refsOf(git, copy));
}

function write(directory: string, file: string, content: string): void {
  mkdirSync(dirname(join(directory, file)), { recursive: true });
  writeFileSync(join(directory, file), content);
}

/** Declares the suite of a client. Where it is not installed, the suite is one skipped test that says so; CI has them all. */
export function clientJourney(client: GitProgram): void {
  const reason = client.missing();
  if (reason !== undefined) {
    if (process.env["CI"] !== undefined) throw new Error(reason);
    it.todo(`${client.name}: ${reason}`);
    return;
  }
  onEveryHost(client.name, (journey) => {
    describe("reading", () => {
      cloning(client, journey);
      cloningInPart(client, journey);
    });
    describe("writing", () => {
      pushing(client, journey);
    });
    describe("credentials", () => {
      proving(client, journey);
    });
  });
}

function cloning(client: GitProgram, journey: Journey): void {
  it("clones a history with everything in it", async () => {
    const { git } = journey;
    const source = await importFixture(git, "source", everything());
    const url = await journey.create();
    await git.ok(["push", "-q", "--mirror", url], { cwd: source });
    const copy = git.fresh();
    await client.clone(remoteOf(url), copy);
    await git.fsck(copy);
    expect(await git.ok(["symbolic-ref", "HEAD"], { cwd: copy })).toBe("refs/heads/main");
    expect(await git.ok(["rev-parse", "HEAD"], { cwd: copy })).toBe(
      await git.ok(["rev-parse", "main"], { cwd: source }),
    );
    expect(await git.ok(["rev-parse", "origin/feature/deep/name"], { cwd: copy })).toBe(
      await git.ok(["rev-parse", "feature/deep/name"], { cwd: source }),
    );
    expect(await refsOf(git, copy, "refs/tags")).toEqual(await refsOf(git, source, "refs/tags"));
  });

  it("clones thousands of objects, then fetches what was pushed since", async () => {
    const { git } = journey;
    const source = await importFixture(git, "source", linear(MANY));
    const url = await journey.create();
    await git.ok(["push", "-q", url, "main"], { cwd: source });
    const [copy, pusher] = [git.fresh(), git.fresh("pusher")];
    await client.clone(remoteOf(url), copy);
    await git.fsck(copy);
    expect(await git.ok(["rev-list", "--count", "--objects", "HEAD"], { cwd: copy })).toBe(
      await git.ok(["rev-list", "--count", "--objects", "main"], { cwd: source }),
    );

    await git.ok(["clone", "-q", url, pusher]);
    for (let at = 0; at < 20; at++) await git.commit(pusher, `new/${at % 3}.txt`, `${at}\n`.repeat(50));
    await git.ok(["tag", "-a", "-m", "one", "v1"], { cwd: pusher });
    await git.ok(["push", "-q", "origin", "main", "v1", "main~7:refs/heads/other"], { cwd: pusher });
    await client.fetch(remoteOf(url), copy);
    await git.fsck(copy);
    for (const name of ["main", "other"]) {
      expect(await git.ok(["rev-parse", `origin/${name}`], { cwd: copy })).toBe(
        await git.ok(["ls-remote", url, `refs/heads/${name}`]).then((line) => line.slice(0, 40)),
      );
    }
    expect(await git.ok(["rev-parse", "v1^{commit}"], { cwd: copy })).toBe(
      await git.ok(["rev-parse", "main"], { cwd: pusher }),
    );
    await client.fetch(remoteOf(url), copy);
  });
}

function cloningInPart(client: GitProgram, journey: Journey): void {
  it.runIf(client.cloneShallow !== undefined)("clones the last commits only", async () => {
    const { git } = journey;
    const source = await importFixture(git, "source", linear(30));
    const url = await journey.create();
    await git.ok(["push", "-q", url, "main"], { cwd: source });
    const copy = git.fresh();
    await client.cloneShallow?.(remoteOf(url), copy, 3);
    await git.fsck(copy);
    expect(await git.ok(["rev-list", "--count", "HEAD"], { cwd: copy })).toBe("3");
    expect(await git.ok(["rev-parse", "HEAD"], { cwd: copy })).toBe(
      await git.ok(["rev-parse", "main"], { cwd: source }),
    );
  });
}

function pushing(client: GitProgram, journey: Journey): void {
  it("creates, updates, forces and deletes", async () => {
    const { git } = journey;
    const source = await importFixture(git, "source", linear(20));
    const url = await journey.create();
    await git.ok(["push", "-q", url, "main"], { cwd: source });
    const remote = remoteOf(url);
    const cwd = git.fresh();
    await client.clone(remote, cwd);
    const tipOf = async (name: string): Promise<string | undefined> =>
      (await refsAt(git, url)).find((line) => line.startsWith(`${name} `))?.slice(name.length + 1);
    const commit = async (file: string, content: string): Promise<string> => {
      write(cwd, file, content);
      await client.commit(cwd, file, `change ${file}`);
      return await git.ok(["rev-parse", "HEAD"], { cwd });
    };

    const first = await commit("by-client/first.txt", "first\n");
    await client.push(remote, cwd, { from: "refs/heads/main", to: "refs/heads/main" });
    expect(await tipOf("refs/heads/main")).toBe(first);

    await client.push(remote, cwd, { from: "refs/heads/main", to: "refs/heads/topic/one" });
    expect(await tipOf("refs/heads/topic/one")).toBe(first);

    await client.tag(cwd, "v1");
    await client.push(remote, cwd, { from: "refs/tags/v1", to: "refs/tags/v1" });
    expect(await tipOf("refs/tags/v1")).toBe(await git.ok(["rev-parse", "v1"], { cwd }));

    // Another way from the commit before: what only the remote's branch has is dropped.
    await git.ok(["reset", "-q", "--hard", "HEAD~1"], { cwd });
    const other = await commit("by-client/second.txt", "second\n");
    await expect(
      client.push(remote, cwd, { from: "refs/heads/main", to: "refs/heads/topic/one" }),
    ).rejects.toBeDefined();
    await client.push(remote, cwd, { from: "refs/heads/main", to: "refs/heads/topic/one", force: true });
    expect(await tipOf("refs/heads/topic/one")).toBe(other);

    await client.push(remote, cwd, { from: "", to: "refs/heads/topic/one" });
    await client.push(remote, cwd, { from: "", to: "refs/tags/v1" });
    expect(await refsAt(git, url)).toEqual([`refs/heads/main ${first}`]);
    await git.fsck(cwd);
    await checkHost(journey, url);
  });

  it("creates a repository by pushing to it", async () => {
    const { git } = journey;
    const cwd = await git.init("work");
    const tip = await git.commit(cwd, "file.txt", "one\n");
    const url = (await journey.create()).replace(/repo-\d+/, "made-by-push");
    await client.push(remoteOf(url), cwd, { from: "refs/heads/main", to: "refs/heads/main" });
    expect(await refsAt(git, url)).toEqual([`refs/heads/main ${tip}`]);
  });

  it("pushes thousands of objects into an empty repository", async () => {
    const { git } = journey;
    const source = await importFixture(git, "source", linear(MANY));
    await git.ok(["symbolic-ref", "HEAD", "refs/heads/main"], { cwd: source });
    const cwd = git.fresh();
    await git.ok(["clone", "-q", source, cwd]);
    const url = await journey.create();
    await client.push(remoteOf(url), cwd, { from: "refs/heads/main", to: "refs/heads/main" });
    expect(await refsAt(git, url)).toEqual(await refsOf(git, source));
    await checkHost(journey, url);
  });
}

function proving(client: GitProgram, journey: Journey): void {
  it("is refused without credentials and with wrong ones", async () => {
    const { git } = journey;
    const source = await importFixture(git, "source", linear(3));
    const url = await journey.create();
    await git.ok(["push", "-q", url, "main"], { cwd: source });
    for (const token of ["", "wrong"]) {
      await expect(client.clone({ ...remoteOf(url), token }, git.fresh())).rejects.toBeDefined();
    }
    const cwd = git.fresh();
    await git.ok(["clone", "-q", url, cwd]);
    await git.commit(cwd, "more.txt", "more\n");
    for (const token of ["", "wrong"]) {
      const remote = { ...remoteOf(url), token };
      await expect(client.push(remote, cwd, { from: "refs/heads/main", to: "refs/heads/main" })).rejects.toBeDefined();
    }
    expect(await refsAt(git, url)).toEqual(await refsOf(git, source));
  });

  // The small server that C git stands behind asks everybody.
  // The reference server asks everybody for the token.
  it.runIf(journey.host === "thinpack")("reads a public repository without credentials", async () => {
    const { git } = journey;
    const source = await importFixture(git, "source", everything());
    const url = await journey.create("public", { visibility: "public" });
    await git.ok(["push", "-q", "--mirror", url], { cwd: source });
    const nobody = { ...remoteOf(url), token: "" };
    const cwd = git.fresh();
    await client.clone(nobody, cwd);
    await git.fsck(cwd);
    await client.fetch(nobody, cwd);
    await git.commit(cwd, "more.txt", "more\n");
    await expect(client.push(nobody, cwd, { from: "refs/heads/main", to: "refs/heads/main" })).rejects.toBeDefined();
    expect(await refsAt(git, url)).toEqual(await refsOf(git, source));
  });
}
