/** Both hash functions at rest, and where they meet. What clients do with each is in the other journeys, which run over both. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { exportRepository } from "../support/export.ts";
import { objectFormat } from "../../src/object/object-id.ts";
import { refsOf } from "../support/git-client.ts";
import { everything, FixtureStream, importFixture, linear, noise } from "../support/git-fixtures.ts";
import { type Journey, inEveryFormat, onEveryHost } from "../support/git-hosts.ts";
import { post, pktLines, parsePkts } from "../support/git-raw.ts";

/** Large enough to be streamed wherever it goes. */
const LARGE = 9_000_000;

/** Copies what the bucket holds. */
async function exported(journey: Journey, url: string): Promise<string> {
  const directory = journey.git.fresh("exported");
  const path = new URL(url).pathname.replace(/\.git$/, "");
  await exportRepository(`${journey.base}/api/v1/repos${path}`, journey.token, directory);
  return directory;
}

inEveryFormat("what the bucket holds", (journey) => {
  // C git's server has no bucket.
  it.skipIf(journey.host === "c git")("is a repository to git, and its indexes are git's", async () => {
    const { git, format } = journey;
    const source = await importFixture(git, "source", everything(format));
    const stream = new FixtureStream();
    const content = noise(LARGE);
    stream.commit("refs/heads/large", [{ path: "large.bin", content }]);
    await git.ok(["fast-import", "--quiet"], { cwd: source, input: stream.bytes() });
    const url = await journey.create();
    await git.ok(["push", "-q", "--mirror", url], { cwd: source });
    // a thin pack whose only blob is a delta on one that is too large to be held
    const next = new FixtureStream();
    next.commit("refs/heads/large", [{ path: "large.bin", content: Buffer.concat([content, Buffer.from("more\n")]) }], {
      from: "refs/heads/large^0",
    });
    await git.ok(["fast-import", "--quiet"], { cwd: source, input: next.bytes() });
    await git.ok(["push", "-q", url, "large", ":side"], { cwd: source });
    await git.ok(["branch", "-D", "-q", "side"], { cwd: source });

    const directory = await exported(journey, url);
    await git.fsck(directory);
    expect(await git.ok(["rev-parse", "--show-object-format"], { cwd: directory })).toBe(format.name);
    expect(await refsOf(git, directory)).toEqual(await refsOf(git, source));
    const packs = join(directory, "objects", "pack");
    const names = readdirSync(packs).filter((name) => name.endsWith(".pack"));
    expect(names).toHaveLength(2);
    for (const name of names) {
      const pack = join(packs, name);
      await git.ok(["verify-pack", pack], { cwd: directory });
      const idx = git.fresh("idx");
      await git.ok(["index-pack", "--strict", "-o", idx, pack], { cwd: directory });
      expect(readFileSync(idx).equals(readFileSync(pack.replace(/pack$/, "idx")))).toBe(true);
    }
    const copy = git.fresh();
    await git.ok(["clone", "-q", "--mirror", directory, copy]);
    await git.fsck(copy);
  });
});

onEveryHost("two hash functions that meet", (journey) => {
  /** A repository of SHA-256 with one commit, on this host, and the same history by SHA-1 and SHA-256 here. */
  async function meeting(): Promise<{ url: string; sha1: string; sha256: string }> {
    const { git } = journey;
    const url = await journey.create("meeting", { object_format: "sha256" });
    const sha256 = await git.init("sha256", "--object-format=sha256");
    await git.commit(sha256, "a.txt", "one\n");
    await git.ok(["push", "-q", url, "main"], { cwd: sha256 });
    return { url, sha256, sha1: await importFixture(git, "sha1", linear(2)) };
  }

  it.each(["0", "1", "2"])(
    "is served to clients of its format, and refused to others clearly (protocol.version=%s)",
    async (version) => {
      const { git } = journey;
      const config = ["-c", `protocol.version=${version}`];
      const { url, sha1, sha256 } = await meeting();
      const copy = git.fresh();
      await git.ok([...config, "clone", "-q", "--bare", url, copy]);
      expect(await git.ok(["rev-parse", "HEAD"], { cwd: copy })).toBe(
        await git.ok(["rev-parse", "HEAD"], { cwd: sha256 }),
      );
      await git.fsck(copy);
      const pushed = await git.git([...config, "push", url, "main:other"], { cwd: sha1 });
      expect(pushed.stderr).toContain("the receiving end does not support this repository's hash algorithm");
      const fetched = await git.git([...config, "fetch", url, "main"], { cwd: sha1 });
      expect(fetched.stderr).toMatch(
        /mismatched algorithms: client sha1; server sha256|Server does not support this repository's object format/,
      );
    },
  );

  it("refuses requests of the other format in git's words", async () => {
    const { url } = await meeting();
    const lines = async (service: string, request: string[], version: string): Promise<string[]> => {
      const answer = await post(url, service, pktLines(...request), { "Git-Protocol": `version=${version}` });
      expect(answer.status).toBeLessThan(500);
      return parsePkts(answer.body).map((line) => String(line).trimEnd());
    };
    const silent = await lines("upload-pack", ["command=ls-refs", "0001", "0000"], "2");
    const wrong = await lines("upload-pack", ["command=ls-refs", "object-format=sha1", "0001", "0000"], "2");
    const unknown = await lines("upload-pack", ["command=ls-refs", "object-format=md5", "0001", "0000"], "2");
    const zero = "0".repeat(objectFormat("sha1").hexSize);
    const short = await lines(
      "receive-pack",
      [`${zero} ${zero.replaceAll("0", "1")} refs/heads/a\0report-status`],
      "0",
    );
    if (journey.host === "c git") {
      // http-backend's child dies with these words on its own standard error, and the answer is empty
      expect([silent, wrong, unknown]).toEqual([[], [], []]);
      return;
    }
    const mismatched = "ERR mismatched object format: server sha256; client sha1";
    expect([silent, wrong, unknown]).toEqual([[mismatched], [mismatched], ["ERR unknown object format 'md5'"]]);
    expect(short[0]).toMatch(/^ERR .*/);
  });
});
