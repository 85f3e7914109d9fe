/** `object-info` against C git's: sizes of everything, and what is out of reach. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveReceivePack } from "../../../src/service/push/receive-pack.ts";
import { serveV2 } from "../../../src/service/serve-v2.ts";
import type { PackStorage } from "../../../src/catalog/pack-storage.ts";
import { GitSandbox } from "../../support/git-client.ts";
import { everything, importFixture } from "../../support/git-fixtures.ts";
import { pktLines, pushBody } from "../../support/git-raw.ts";
import { pktText } from "../../support/pkt.ts";
import { MemoryService, NEW_REPOSITORY, askGit } from "./memory-service.ts";

describe("object-info", () => {
  let git: GitSandbox;
  let bare = "";
  let refs: { name: string; new: string }[] = [];
  let objects: string[] = [];
  const unknown = "1".repeat(40);

  beforeAll(async () => {
    git = new GitSandbox("object-info");
    bare = await importFixture(git, "bare", everything());
    await git.ok(["config", "transfer.advertiseObjectInfo", "true"], { cwd: bare });
    await git.ok(["repack", "-adfq"], { cwd: bare });
    const shown = await git.ok(["for-each-ref", "--format=%(objectname) %(refname)"], { cwd: bare });
    refs = shown.split("\n").map((line) => ({ name: line.slice(41), new: line.slice(0, 40) }));
    const all = await git.ok(["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"], { cwd: bare });
    objects = all.split("\n");
  });
  afterAll(() => git.close());

  async function filled(): Promise<MemoryService> {
    const host = new MemoryService();
    const pack = await git.bytes(["pack-objects", "--all", "--revs", "--stdout", "-q"], { cwd: bare, input: "" });
    await host.run(serveReceivePack, pushBody(refs, pack), { create: NEW_REPOSITORY });
    return host;
  }

  const ask = (oids: readonly string[], ...more: string[]): Buffer =>
    pktLines("command=object-info", "0001", ...more, ...oids.map((oid) => `oid ${oid}`), "0000");

  it("answers as C git does, for all objects and for some that are missing", async () => {
    const host = await filled();
    expect(objects.length).toBeGreaterThan(300);
    for (const input of [
      ask([...objects, unknown, objects[3] ?? "", objects[3] ?? ""], "size"),
      ask([], "size"),
      pktLines("command=object-info", "0000"),
    ]) {
      const { body } = await host.run(serveV2, input);
      const theirs = await askGit(git, "upload-pack", bare, { input, version: 2 });
      expect(pktText(body)).toEqual(pktText(theirs));
    }
  });

  it("tells which objects are there if no size is asked for", async () => {
    // Not compared: before 2.41 C git forgot to look whether `size` was asked for.
    const host = await filled();
    const [first = "", second = ""] = objects;
    const { body } = await host.run(serveV2, ask([first, unknown, second]));
    expect(pktText(body)).toEqual([first, `${unknown} `, second, "0000"]);
  });

  it("reads a pack once, for any number of objects", async () => {
    const host = await filled();
    const reads: string[] = [];
    const plain = { ...host.storage };
    const counted: Pick<PackStorage, "read" | "openStream"> = {
      read: async (file, offset, length) => {
        reads.push(file.extension);
        return await plain.read(file, offset, length);
      },
      openStream: async (file, offset, length) => {
        reads.push(file.extension);
        return await plain.openStream(file, offset, length);
      },
    };
    Object.assign(host.storage, counted);
    await host.run(serveV2, ask(objects, "size"));
    expect(reads.filter((extension) => extension === "pack")).toHaveLength(1);
    expect(reads.length).toBeLessThanOrEqual(2);
  });

  it("reveals nothing about an unreachable object", async () => {
    const host = await filled();
    const side = refs.find(({ name }) => name === "refs/heads/feature/deep/name")?.new ?? "";
    const blob = await git.ok(["rev-parse", `${side}:feature.txt`], { cwd: bare });
    const main = await git.ok(["rev-parse", "main:docs/read me.md"], { cwd: bare });
    const told = async (): Promise<string[]> =>
      pktText((await host.run(serveV2, ask([side, blob, main], "size"))).body);
    const size = await git.ok(["cat-file", "-s", main], { cwd: bare });
    expect((await told()).slice(2)).toEqual([`${blob} 8`, `${main} ${size}`, "0000"]);
    await host.run(
      serveReceivePack,
      pushBody([{ name: "refs/heads/feature/deep/name", old: side }], undefined, "delete-refs report-status"),
    );
    expect(await told()).toEqual(["size", `${side} `, `${blob} `, `${main} ${size}`, "0000"]);
  });

  it.each([
    ["type", "object-info: unexpected line: 'type'"],
    ["oid 1234", "object-info: protocol error, expected to get oid, not '1234'"],
  ])("refuses %j in git's words", async (line, message) => {
    const host = await filled();
    const input = pktLines("command=object-info", "0001", line, "0000");
    const { body } = await host.run(serveV2, input);
    expect(pktText(body)).toEqual([`ERR ${message}`]);
    expect(pktText(await askGit(git, "upload-pack", bare, { input, version: 2 }))).toContain(`ERR ${message}`);
  });

  it("refuses too many objects", async () => {
    const host = await filled();
    host.limits = { ...host.limits, wants: 10 };
    const { body } = await host.run(serveV2, ask(objects.slice(0, 11), "size"));
    expect(pktText(body)[0]).toMatch(/^ERR /);
  });
});

describe("the note about a client", () => {
  it("has its session id and its server options", async () => {
    const host = new MemoryService();
    await host.run(
      serveV2,
      pktLines("command=ls-refs", "session-id=theirs", "server-option=a", "server-option=b c", "0000"),
    );
    expect(host.notes).toMatchObject([{ sessionId: "theirs", serverOptions: ["a", "b c"] }]);
  });
});
