/** The tip pack that comes with a large push: what it serves, and what it must not change. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveReceivePack } from "../../../src/service/push/receive-pack.ts";
import { serveV2 } from "../../../src/service/serve-v2.ts";
import type { PackRecord } from "../../../src/catalog/pack-record.ts";
import { FixtureStream, noise } from "../../support/git-fixtures.ts";
import { pushBody } from "../../support/git-raw.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { pktBytes, pktText } from "../../support/pkt.ts";
import { MemoryService, NEW_REPOSITORY, band } from "../service/memory-service.ts";

/** A history in which the tip is a small part of what there is. */
function history(): FixtureStream {
  const stream = new FixtureStream();
  for (let at = 0; at < 60; at++) {
    stream.commit("refs/heads/main", [
      { path: `kept/file-${at % 10}.txt`, content: Buffer.from(noise(600, at)).toString("base64") },
      { path: `dir-${at % 3}/text.txt`, content: `${"line\n".repeat(300)}${at}\n` },
    ]);
  }
  return stream;
}

describe("a tip pack", () => {
  let git: GitRepository;
  let host: MemoryService;
  const client = new GitRepository();
  beforeAll(async () => {
    git = new GitRepository();
    git.import(history());
    host = new MemoryService();
    host.limits = { ...host.limits, tipPackFromBytes: 1024 };
    await push("main", "0".repeat(40));
  });
  afterAll(() => {
    git.dispose();
    client.dispose();
  });

  async function push(revision: string, old: string, name = "refs/heads/main"): Promise<string[]> {
    const tip = git.oid(revision);
    const pack = git.pack([tip, ...(/^0*$/.test(old) ? [] : ["^main"])], "--delta-base-offset");
    const body = pushBody([{ old, new: tip, name }], pack);
    const served = await host.run(serveReceivePack, body, { create: NEW_REPOSITORY });
    return pktText(served.body);
  }

  async function packs(): Promise<readonly PackRecord[]> {
    const found = await host.refs.open({ packs: true });
    return found.kind === "found" ? found.packs : [];
  }

  async function fetch(...lines: string[]): Promise<Buffer> {
    const request = pktBytes(
      "command=fetch",
      "object-format=sha1",
      "0001",
      "ofs-delta",
      "no-progress",
      ...lines,
      "done",
      "0000",
    );
    return band((await host.run(serveV2, request)).body, 1);
  }

  it("comes in the same commit, with all that a depth of 1 takes and nothing else", async () => {
    const [pack, copy, ...more] = await packs();
    expect(more).toEqual([]);
    expect([pack?.source, copy?.source, copy?.marked]).toEqual(["receive", "copy", true]);
    expect(copy?.objects).toBe(git.lines(["rev-list", "--objects", "--no-walk", "main"]).length);
  });

  it("is what a shallow clone is made from", async () => {
    const tip = git.oid("main");
    const sent = await fetch(`want ${tip}`, "deepen 1");
    // C git reads it; that the commit's parents are not there is what was asked for
    client.index(sent);
    const [, copy] = await packs();
    expect(sent.readUInt32BE(8)).toBe(copy?.objects);
    expect(sent.equals(Buffer.from(await storedPack(copy)))).toBe(true);
  });

  async function storedPack(pack: PackRecord | undefined): Promise<Uint8Array> {
    if (pack === undefined) throw new Error("no pack");
    return await host.storage.read({ pack: pack.name, extension: "pack" }, 0, pack.packBytes);
  }

  it("is left out of a clone of everything, and of one without blobs", async () => {
    const tip = git.oid("main");
    const [pack] = await packs();
    expect((await fetch(`want ${tip}`)).equals(Buffer.from(await storedPack(pack)))).toBe(true);
    const blobless = await fetch(`want ${tip}`, "filter blob:none");
    const all = git.lines(["rev-list", "--objects", "--filter=blob:none", "main"]);
    expect(blobless.readUInt32BE(8)).toBe(all.length);
  });

  it("does not come with a push that is small, sets another branch or is refused", async () => {
    const before = (await packs()).length;
    host.limits = { ...host.limits, tipPackFromBytes: 32 * 1024 * 1024 };
    git.git([
      "update-ref",
      "refs/heads/next",
      git.text(["commit-tree", "-p", "main", "-m", "n", "main~1^{tree}"]).trim(),
    ]);
    await push("next", git.oid("main"));
    expect((await packs()).length - before).toBe(1);
    host.limits = { ...host.limits, tipPackFromBytes: 1 };
    git.git([
      "update-ref",
      "refs/heads/side",
      git.text(["commit-tree", "-p", "main", "-m", "s", "main~2^{tree}"]).trim(),
    ]);
    await push("side", "0".repeat(40), "refs/heads/side");
    expect((await packs()).length - before).toBe(2);
    git.git([
      "update-ref",
      "refs/heads/bad",
      git.text(["commit-tree", "-p", "main", "-m", "b", "main~3^{tree}"]).trim(),
    ]);
    const stale = await push("bad", "1".repeat(40));
    expect(stale.join("")).toContain("ng refs/heads/main");
    expect((await packs()).length - before).toBe(2);
  });

  it("leaves nothing behind if it would be most of the pack", async () => {
    const small = new MemoryService();
    small.limits = { ...small.limits, tipPackFromBytes: 1 };
    const one = new GitRepository();
    const stream = new FixtureStream();
    stream.commit("refs/heads/main", [{ path: "only.bin", content: noise(50_000) }]);
    one.import(stream);
    try {
      const tip = one.oid("main");
      const body = pushBody([{ new: tip, name: "refs/heads/main" }], one.pack([tip]));
      const served = await small.run(serveReceivePack, body, { create: NEW_REPOSITORY });
      expect(pktText(served.body)[0]).toBe("unpack ok\\n");
      const found = await small.refs.open({ packs: true });
      const names = found.kind === "found" ? found.packs.map(({ name }) => name) : [];
      expect(names).toHaveLength(1);
      expect([...small.storage.files.keys()].filter((key) => !key.includes(names[0] ?? "?"))).toEqual([]);
      expect(served.calls).toContain("abandonPush");
    } finally {
      one.dispose();
    }
  });
});
