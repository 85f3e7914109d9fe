/** Clones and fetches that were begun before a branch was moved or deleted. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { refsAt } from "../support/git-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { packOf, pkt, pktLines, post } from "../support/git-raw.ts";
import { MirrorBed } from "../support/upstreams.ts";

const bed = new MirrorBed();
const V2 = { "Git-Protocol": "version=2" };
const CLONES = 20;
let source = "";

beforeAll(async () => {
  await bed.start();
  source = bed.git.fresh();
  await bed.git.ok(["clone", "-q", await importFixture(bed.git, "source", linear(12)), source]);
});
afterAll(() => bed.stop());

let count = 0;
/** A repository with `main` and a branch `gone` that was deleted a moment ago; gives the commit that it was on. */
async function deleted(settings: object = {}): Promise<{ path: string; url: string; oid: string }> {
  const { git } = bed;
  count += 1;
  const path = `acme/begun-${count}`;
  expect((await bed.api("PUT", path, settings)).status).toBe(201);
  const url = bed.url(path);
  const oid = await git.commit(source, `file-${count}.txt`, "content\n");
  await git.ok(["push", "-q", url, "main~1:refs/heads/main", "main:refs/heads/gone"], { cwd: source });
  await git.ok(["push", "-q", url, ":gone"], { cwd: source });
  return { path, url, oid };
}

const fetchV2 = async (url: string, ...lines: string[]): Promise<Buffer> =>
  (await post(url, "upload-pack", pktLines("command=fetch", "0001", ...lines, "no-progress", "done", "0000"), V2)).body;
const fetchV0 = async (url: string, oid: string): Promise<Buffer> =>
  (await post(url, "upload-pack", Buffer.concat([pkt(`want ${oid} side-band-64k\n`), pktLines("0000", "done")]))).body;

/** What is wrong with each of the ways to want the commit. */
async function refusals({ url, oid }: { url: string; oid: string }): Promise<boolean[]> {
  const answers = [
    await fetchV2(url, "want-ref refs/heads/gone"),
    await fetchV2(url, `want ${oid}`),
    await fetchV0(url, oid),
  ];
  return answers.map((body) => /unknown ref|not our ref/.test(body.toString("latin1")));
}

const NONE = [false, false, false];
const ALL = [true, true, true];

describe("a branch that was deleted", () => {
  it("can be fetched for a minute by clients that saw it, by its name and by its value, and then no more", async () => {
    const { git } = bed;
    const gone = await deleted();
    const body = await fetchV2(gone.url, "want-ref refs/heads/gone");
    expect(body.toString("latin1")).toContain(`${gone.oid} refs/heads/gone`);
    const copy = await git.init("taker", "--bare");
    await git.ok(["index-pack", "--stdin", "--strict"], { cwd: copy, input: packOf(body) });
    await git.ok(["update-ref", "refs/heads/gone", gone.oid], { cwd: copy });
    await git.fsck(copy);
    expect(await refusals(gone)).toEqual(NONE);
    await bed.clock.advance(61_000);
    expect(await refusals(gone)).toEqual(ALL);
  });

  it("is sent with what it reached, and with nothing that no branch had", async () => {
    const { git } = bed;
    const gone = await deleted();
    const tree = await git.ok(["rev-parse", `${gone.oid}^{tree}`], { cwd: source });
    expect((await fetchV2(gone.url, `want ${tree}`)).toString("latin1")).not.toContain("not our ref");
    const unknown = "1".repeat(40);
    expect((await fetchV2(gone.url, `want ${unknown}`)).toString()).toContain(`not our ref ${unknown}`);
    expect((await fetchV2(gone.url, "want-ref refs/heads/never")).toString()).toContain("unknown ref refs/heads/never");
  });

  it("cannot be fetched if the repository was made public, private, or anew since", async () => {
    const opened = await deleted();
    await bed.api("PATCH", opened.path, { visibility: "public" });
    expect(await refusals(opened)).toEqual(ALL);
    const anew = await deleted();
    await bed.api("DELETE", anew.path);
    await bed.api("PUT", anew.path, {});
    await bed.git.ok(["push", "-q", anew.url, "main~1:refs/heads/main"], { cwd: source });
    expect(await refusals(anew)).toEqual(ALL);
    const closed = await deleted({ visibility: "public" });
    await bed.api("PATCH", closed.path, { visibility: "private" });
    const stranger = `${bed.host.base}/${closed.path}.git`;
    const request = pktLines("command=fetch", "0001", "want-ref refs/heads/gone", "done", "0000");
    expect((await post(stranger, "upload-pack", request, V2)).status).toBe(401);
  });
});

describe("clones", () => {
  it("succeed beside pushes that make, move and delete branches", async () => {
    const { git } = bed;
    const { url } = await deleted();
    const clones = { areDone: false };
    const pushing = (async () => {
      let rounds = 0;
      for (; !clones.areDone; rounds++) {
        const [made, old] = [`x${rounds}`, `x${rounds - 1}`];
        const moves = [`main~${rounds % 5}:refs/heads/${made}`, `+main~${rounds % 7}:refs/heads/moved`];
        await git.ok(["push", "-q", url, ...moves, ...(rounds > 0 ? [`:refs/heads/${old}`] : [])], { cwd: source });
      }
      return rounds;
    })();
    const copies: string[] = [];
    const failures: string[] = [];
    for (let at = 0; at < CLONES; at++) {
      const copy = git.fresh();
      const how = ["--bare", "--mirror", "--filter=blob:none"][at % 3] ?? "";
      const { code, stderr } = await git.git(["clone", "-q", ...(at % 3 === 2 ? ["--bare"] : []), how, url, copy]);
      if (code === 0) copies.push(copy);
      else failures.push(stderr);
    }
    clones.areDone = true;
    expect(await pushing).toBeGreaterThan(1);
    expect(failures).toEqual([]);
    for (const copy of copies.slice(0, 4)) await git.ok(["fsck", "--connectivity-only"], { cwd: copy });
    expect((await refsAt(git, url)).length).toBeGreaterThan(1);
  });
});
