/** Clones of what is cloned often: one stored file is the answer, and whoever asks for another answer gets that. */
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TWINS } from "../../src/catalog/clone-twin.ts";
import type { Counts } from "../../scripts/bench/request-log.ts";
import { importFixture, linear, noise } from "../support/git-fixtures.ts";
import { packOf, parsePkts, pkt, pktLines, post } from "../support/git-raw.ts";
import { SettledLog } from "../support/settled-log.ts";
import { MirrorBed } from "../support/upstreams.ts";

const bed = new MirrorBed();
const V2 = { "Git-Protocol": "version=2" };
let source = "";
let tip = "";
let log: SettledLog | undefined;
let count = 0;

beforeAll(async () => {
  await bed.start();
  const { git } = bed;
  const stream = linear(20);
  stream.commit("refs/heads/main", [{ path: "large.bin", content: noise(1_500_000, 5) }]);
  source = git.fresh();
  await git.ok(["clone", "-q", await importFixture(git, "source", stream), source]);
  tip = await git.ok(["rev-parse", "main"], { cwd: source });
});
afterAll(() => bed.stop());

const counts = async (): Promise<Counts> =>
  await (log ??= new SettledLog(bed.git.path("state", "requests.jsonl"), bed.host.base)).read();

/** A version 2 fetch of the tip; `lines` are further arguments. */
const fetchV2 = (url: string, oid: string, ...lines: string[]): ReturnType<typeof post> =>
  post(url, "upload-pack", pktLines("command=fetch", "0001", ...lines, `want ${oid}`, "done", "0000"), V2);
const cloneV2 = (url: string, oid = tip): ReturnType<typeof post> => fetchV2(url, oid, "ofs-delta");

/** Clones a repository until it has a twin. */
async function twinned(path: string, url: string, oid = tip): Promise<void> {
  for (let n = 0; n < TWINS.clones; n++) expect(packOf((await cloneV2(url, oid)).body).length).toBeGreaterThan(1e6);
  for (let looks = 0; looks < 600; looks++) {
    const { runs } = await bed.maintenance(path);
    if (runs[0]?.step === "twin" && runs[0].outcome === "done") return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`no twin: ${JSON.stringify(await bed.maintenance(path))}`);
}

async function made(settings: object = {}): Promise<{ path: string; url: string }> {
  const path = `acme/twin-${++count}`;
  expect((await bed.api("PUT", path, settings)).status).toBe(201);
  const url = bed.url(path);
  // Two packs: an answer that is made from them takes two reads.
  for (const value of [`${tip}~5`, tip])
    await bed.git.ok(["push", "-q", url, `${value}:refs/heads/main`], { cwd: source });
  await twinned(path, url);
  return { path, url };
}

let common: Promise<{ path: string; url: string }> | undefined;
/** A repository with a twin for tests that only read. */
const shared = (): Promise<{ path: string; url: string }> => (common ??= made());

/** What the host read for one request. */
async function cost(request: () => Promise<unknown>): Promise<Counts> {
  await counts();
  await request();
  return await counts();
}

describe("a repository that is cloned often", () => {
  it.each([0, 1, 2])("is cloned in version %d from one file, and git takes the clone", async (version) => {
    const { git } = bed;
    const { url } = await shared();
    const cwd = git.fresh();
    const {
      lines,
      r2r,
      do: calls,
    } = await cost(() => git.ok(["-c", `protocol.version=${version}`, "clone", "-q", "--mirror", url, cwd]));
    // Version 2 says what it is without a look at the repository.
    expect(r2r).toBeLessThanOrEqual(version === 2 ? 1 : 2);
    expect(calls).toBeLessThanOrEqual(version === 2 ? 2 : 3);
    const clone = lines.find((line) => line["operation"] === "clone");
    expect(clone).toMatchObject({ outcome: "ok", status: 200, r2r: 1, r2w: 0 });
    expect(Number(clone?.["out"])).toBeGreaterThan(1_500_000);
    expect(Number(clone?.["r2b"])).toBeGreaterThan(1_500_000);
    await git.ok(["fsck", "--full", "--strict"], { cwd });
    expect(await git.ok(["rev-list", "--objects", "--all"], { cwd })).toBe(
      await git.ok(["rev-list", "--objects", tip], { cwd: source }),
    );
  });

  it("answers with its length, its cost and the bytes of the pack", async () => {
    const { url } = await shared();
    const { headers, body } = await cloneV2(url);
    expect(headers.get("server-timing")).toMatch(/r2r;desc="1".*r2b;desc="\d{7,}"/);
    expect(Number(headers.get("content-length"))).toBe(body.length);
    expect(body.subarray(0, 13).toString()).toBe("000dpackfile\n");
    expect(body.subarray(-4).toString()).toBe("0000");
    const before = packOf((await fetchV2(url, tip)).body);
    expect(packOf(body).readUInt32BE(8)).toBe(before.readUInt32BE(8));
  });

  it("gives those what they ask for that ask for something else", async () => {
    const { git } = bed;
    const { url } = await shared();
    const older = await git.ok(["rev-parse", `${tip}~3`], { cwd: source });
    const first = parsePkts((await cloneV2(url)).body);
    expect(first.every((payload) => payload[0] !== 2)).toBe(true);
    const others: [string, string[], string?][] = [
      ["deltas by name", []],
      ["a filter", ["ofs-delta", "filter blob:none"]],
      ["a depth", ["ofs-delta", "deepen 1"]],
      ["a shallow clone's", ["ofs-delta", `shallow ${older}`]],
      ["haves", ["ofs-delta", `have ${older}`]],
      ["an older commit", ["ofs-delta"], older],
    ];
    for (const [what, lines, oid = tip] of others) {
      const { body } = await fetchV2(url, oid, ...lines);
      // Only an answer that is made for the client tells how it goes.
      const isMade = parsePkts(body).some((payload) => payload[0] === 2);
      expect({ what, isMade, pack: packOf(body).subarray(0, 4).toString() }).toEqual({
        what,
        isMade: true,
        pack: "PACK",
      });
    }
    // As git's client asks.
    const named = ["ofs-delta", "sideband-all", "want-ref HEAD", "want-ref refs/heads/main"];
    const allBands = parsePkts((await fetchV2(url, tip, ...named)).body);
    const lines = ["wanted-refs\n", `${tip} HEAD\n`, `${tip} refs/heads/main\n`];
    expect(allBands.slice(0, 3).map(String)).toEqual(lines.map((line) => `\u0001${line}`));
    expect(allBands.slice(3, 5).map(String)).toEqual(["0001", "\u0001packfile\n"]);
    expect(allBands.some((payload) => payload[0] === 2)).toBe(false);
    const unknown = await fetchV2(url, "1".repeat(40), "ofs-delta");
    expect(unknown.body.toString()).toContain("not our ref");
    const v0 = async (capabilities: string): Promise<Buffer> =>
      (await post(url, "upload-pack", Buffer.concat([pkt(`want ${tip} ${capabilities}\n`), pktLines("0000", "done")])))
        .body;
    const wide = await v0("side-band-64k ofs-delta");
    expect(wide.subarray(0, 8).toString()).toBe("0008NAK\n");
    expect(packOf(wide).equals(packOf((await cloneV2(url)).body))).toBe(true);
    expect(wide.subarray(-4).toString()).toBe("0000");
    for (const payload of parsePkts((await v0("side-band ofs-delta")).subarray(8)))
      expect(payload.length).toBeLessThanOrEqual(996);
    const bare = await v0("ofs-delta");
    expect(bare.subarray(8, 12).toString()).toBe("PACK");
  });

  it("gives a clone everything after the next push, and after a branch is gone", async () => {
    const { git } = bed;
    const { path, url } = await made();
    const work = git.fresh();
    await git.ok(["clone", "-q", url, work]);
    const next = await git.commit(work, "next.txt", "next\n");
    await git.ok(["push", "-q", "origin", "main", "main~2:refs/heads/side"], { cwd: work });
    const cwd = git.fresh();
    await git.ok(["clone", "-q", "--mirror", url, cwd]);
    expect(await git.ok(["rev-parse", "main"], { cwd })).toBe(next);
    await git.ok(["fsck", "--full", "--strict"], { cwd });
    // The old tip is no ref any more, and what it had is not everything.
    await twinned(path, url, next).catch(() => undefined);
    await git.ok(["push", "-q", "-f", "origin", "main~1:refs/heads/main"], { cwd: work });
    const after = await cloneV2(url, await git.ok(["rev-parse", "main~1"], { cwd: work }));
    const taker = await git.init("taker", "--bare");
    await git.ok(["index-pack", "--stdin", "--strict"], { cwd: taker, input: packOf(after.body) });
    expect((await git.git(["cat-file", "-e", next], { cwd: taker })).code).not.toBe(0);
  });

  it("is cloned from its packs after a purge", async () => {
    const { git } = bed;
    const { path, url } = await made();
    expect((await bed.api("POST", `${path}/maintenance`, { purge: true })).status).toBe(202);
    await bed.maintained(path);
    await git.ok(["push", "-q", url, `${tip}~2:refs/heads/side`], { cwd: source });
    const cwd = git.fresh();
    await git.ok(["clone", "-q", "--mirror", url, cwd]);
    await git.ok(["fsck", "--full", "--strict"], { cwd });
  });

  it("says nothing to those who may not read it", async () => {
    const { path, url } = await shared();
    const bare = url.replace(/\/\/[^@]*@/, "//");
    for (const [address, status] of [
      [bare, 401],
      [bare.replace(path, "acme/missing"), 401],
      [url.replace(/:[^:@]*@/, ":wrong@"), 401],
    ] as const) {
      const answer = await cloneV2(address);
      expect(answer.status).toBe(status);
      expect(answer.headers.get("server-timing")).toContain('r2r;desc="0"');
    }
  });

  it("serves others while clients take a byte a second", async () => {
    const { url } = await shared();
    const { hostname, port, username, password, pathname } = new URL(url);
    const request = pktLines("command=fetch", "0001", "ofs-delta", `want ${tip}`, "done", "0000");
    const login = Buffer.from(`${username}:${password}`).toString("base64");
    const slow = Array.from({ length: 20 }, () => {
      const socket = connect({ host: hostname, port: Number(port) });
      socket.on("error", () => undefined);
      socket.pause();
      socket.write(
        `POST ${pathname}/git-upload-pack HTTP/1.1\r\nHost: x\r\nGit-Protocol: version=2\r\nAuthorization: Basic ${login}\r\n` +
          `Content-Type: application/x-git-upload-pack-request\r\nContent-Length: ${request.length}\r\n\r\n`,
      );
      socket.write(request);
      return socket;
    });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const answers = await Promise.all(Array.from({ length: 8 }, () => cloneV2(url)));
    for (const { body } of answers)
      expect(packOf(body).subarray(-20)).toEqual(packOf(answers[0]?.body ?? Buffer.of()).subarray(-20));
    for (const socket of slow) socket.destroy();
  });
});

describe("a public mirror that is cloned often", () => {
  it("is cloned from one file, without its Durable Object, until its upstream moves", async () => {
    const { git } = bed;
    const upstream = await bed.upstream(source);
    const path = await bed.mirror(upstream.url);
    const url = `${bed.host.base}/${path}.git`;
    await twinned(path, url);
    await bed.sync(path);
    const cwd = git.fresh();
    const { r2r, do: calls } = await cost(() => git.ok(["clone", "-q", "--mirror", url, cwd]));
    expect(calls).toBe(0);
    expect(r2r).toBeLessThanOrEqual(4);
    await git.ok(["fsck", "--full", "--strict"], { cwd });
    const work = git.fresh();
    await git.ok(["clone", "-q", upstream.pushUrl, work]);
    const next = await git.commit(work, "next.txt", "next\n");
    await git.ok(["push", "-q", "origin", "main"], { cwd: work });
    await bed.sync(path);
    await git.ok(["fetch", "-q"], { cwd });
    const again = git.fresh();
    await git.ok(["clone", "-q", "--mirror", url, again]);
    expect(await git.ok(["rev-parse", "main"], { cwd: again })).toBe(next);
    await git.ok(["fsck", "--full", "--strict"], { cwd: again });
  });
});
