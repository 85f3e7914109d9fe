/** The largest pack by its address, and the rest in band, for clients that take that. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { refsOf } from "../support/git-client.ts";
import { importFixture, linear, noise } from "../support/git-fixtures.ts";
import { packOf, parsePkts, pktLines, post } from "../support/git-raw.ts";
import { GIT_VERSIONS } from "../support/new-git.ts";
import { MirrorBed } from "../support/upstreams.ts";

const bed = new MirrorBed();
const { git } = bed;
const V2 = { "Git-Protocol": "version=2" };
let source = "";
let count = 0;

beforeAll(async () => {
  await bed.start();
  const stream = linear(60);
  stream.commit("refs/heads/main", [{ path: "large.bin", content: noise(1_500_000, 5) }]);
  source = git.fresh("source");
  await git.ok(["clone", "-q", "--bare", await importFixture(git, "source", stream), source]);
});
afterAll(() => bed.stop());

/** Makes a repository of three packs; the last two build on objects of the first, which is the largest. */
async function made(visibility: string): Promise<{ path: string; url: string; work: string }> {
  const path = `acme/linked-${++count}`;
  expect((await bed.api("PUT", path, { visibility })).status).toBe(201);
  const [url, work] = [bed.url(path), git.fresh()];
  await git.ok(["push", "-q", url, "main"], { cwd: source });
  await git.ok(["clone", "-q", source, work]);
  for (const round of [1, 2]) {
    const file = `src/file-${round}.txt`;
    await git.commit(work, file, `${readFileSync(`${work}/${file}`, "utf8")}one more line ${round}\n`);
    await git.ok(["push", "-q", url, "main"], { cwd: work });
  }
  return { path, url, work };
}

/** Asks as a client that has nothing. Gives the lines before the pack, and the pack in band. */
async function cloned(url: string, oid: string, ...lines: string[]): Promise<{ sections: string[]; pack: Buffer }> {
  const request = pktLines("command=fetch", "0001", "ofs-delta", ...lines, `want ${oid}`, "done", "0000");
  const { body } = await post(url, "upload-pack", request, V2);
  const all = parsePkts(body).map((line) => line.toString("latin1").trimEnd());
  return { sections: all.slice(0, all.indexOf("packfile")), pack: packOf(body) };
}

describe.each(GIT_VERSIONS)("git $version", ({ use }) => {
  beforeAll(() => use(git));

  it.each(["public", "private"])("clones a %s repository with the largest pack by its address", async (visibility) => {
    const { url, work } = await made(visibility);
    const [copy, trace] = [git.fresh(), git.fresh("trace")];
    const asks = ["-c", "fetch.uriProtocols=http,https"];
    await git.ok([...asks, "clone", "-q", url, copy], { env: { GIT_TRACE_CURL: trace } });
    expect(await git.head(copy)).toBe(await git.head(work));
    await git.fsck(copy);
    expect(await refsOf(git, copy, "refs/remotes/origin/main")).toHaveLength(1);
    expect(readFileSync(trace, "utf8")).toMatch(/GET \/acme\/linked-\d+\.git\/objects\/pack\/pack-[0-9a-f]{40}\.pack/);
    const tip = await git.commit(work, "later.txt", "later\n");
    await git.ok(["push", "-q", url, "main"], { cwd: work });
    await git.ok([...asks, "fetch", "-q"], { cwd: copy });
    expect(await git.ok(["rev-parse", "origin/main"], { cwd: copy })).toBe(tip);
  });
});

describe("a clone that takes a pack by its address", () => {
  it("gets the rest in band, which builds on nothing of that pack", async () => {
    const { url, work } = await made("public");
    const oid = await git.head(work);
    const { sections, pack } = await cloned(url, oid, "packfile-uris https,http");
    expect(sections).toEqual(["packfile-uris", expect.stringMatching(/^[0-9a-f]{40} http:\/\/[^ ?]*\.pack$/), "0001"]);
    const [checksum = "", uri = ""] = (sections[1] ?? "").split(" ");
    // Alone, as the client indexes it before it has the other.
    const empty = await git.init("alone", "--bare");
    await git.ok(["index-pack", "--stdin"], { cwd: empty, input: pack });
    const first = Buffer.from(await (await fetch(uri)).arrayBuffer());
    expect(first.subarray(-20).toString("hex")).toBe(checksum);
    await git.ok(["index-pack", "--stdin"], { cwd: empty, input: first });
    const listed = async (cwd: string, ...args: string[]): Promise<string[]> =>
      (await git.ok(args, { cwd })).split("\n").toSorted();
    const all = await listed(empty, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)");
    expect(all).toEqual(await listed(work, "rev-list", "--objects", "--no-object-names", oid));
    expect(pack.readUInt32BE(8) + first.readUInt32BE(8)).toBe(all.length);
  });

  it.each([
    ["asks for none", []],
    ["takes no kind of address that there is", ["packfile-uris ftp"]],
    ["has something", ["packfile-uris http", "have {main~1}"]],
    ["leaves something out", ["packfile-uris http", "filter blob:none"]],
    ["cuts history", ["packfile-uris http", "deepen 1"]],
  ])("gets everything in band where it %s", async (_, lines) => {
    const { url, work } = await made("public");
    const before = await git.ok(["rev-parse", "main~1"], { cwd: work });
    const { sections, pack } = await cloned(
      url,
      await git.head(work),
      ...lines.map((line) => line.replace("{main~1}", before)),
    );
    expect(sections.join("\n")).not.toContain("packfile-uris");
    expect(pack.readUInt32BE(8)).toBeGreaterThan(0);
  });

  it("gets everything in band where there is no ticket for the address: git asks there without credentials", async () => {
    const { path, url, work } = await made("private");
    const oid = await git.head(work);
    const [, line = ""] = (await cloned(url, oid, "packfile-uris https,http")).sections;
    const ticket = new URL(line.split(" ")[1] ?? "").searchParams.get("ticket") ?? "";
    expect(ticket).toMatch(/^tpr_/);
    // Who comes with a ticket gets none.
    const bare = `${bed.host.base}/${path}.git`.replace("://", `://git:${ticket}@`);
    const { sections, pack } = await cloned(bare, oid, "packfile-uris https,http");
    expect(sections).toEqual([]);
    expect(pack.length).toBeGreaterThan(1_500_000);
  });

  it("gets everything in band where the pack has what no ref reaches", async () => {
    const { url, work } = await made("public");
    await git.ok(["push", "-q", url, "+main~4:main"], { cwd: work });
    const { sections } = await cloned(url, await git.ok(["rev-parse", "main~4"], { cwd: work }), "packfile-uris http");
    expect(sections.join("\n")).not.toContain("packfile-uris");
  });
});
