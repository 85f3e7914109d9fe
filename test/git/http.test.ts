/** The HTTP surface as raw requests: what the real client does not show. */
import { gzipSync, inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { type Journey, onEveryHost } from "../support/git-hosts.ts";
import { packOf, parsePkts, pkt, pktLines, post, pushBody, reportLines, send } from "../support/git-raw.ts";

const NO_CACHE = "no-cache, max-age=0, must-revalidate";
const V2 = { "Git-Protocol": "version=2" };

/** A repository of so many commits, and its tip. */
async function filled(journey: Journey, count = 10): Promise<{ url: string; source: string; tip: string }> {
  const { git } = journey;
  const source = await importFixture(git, "source", linear(count));
  const url = await journey.create();
  await git.ok(["push", "-q", url, "main"], { cwd: source });
  return { url, source, tip: await git.ok(["rev-parse", "main"], { cwd: source }) };
}

/** Indexes a pack in a bare repository that may have its bases, and checks everything. */
async function take(journey: Journey, pack: Buffer, cwd?: string): Promise<string> {
  const directory = cwd ?? (await journey.git.init("taker", "--bare"));
  await journey.git.ok(["index-pack", "--stdin", "--fix-thin", "--strict"], { cwd: directory, input: pack });
  return directory;
}

/** The entry types of a pack. Inflates each entry to find the next one, so it needs no index. */
function entryTypes(pack: Buffer): Set<number> {
  const types = new Set<number>();
  let at = 12;
  const skipContinued = (): void => {
    while (((pack[at++] ?? 0) & 0x80) !== 0);
  };
  for (let left = pack.readUInt32BE(8); left > 0; left--) {
    const type = ((pack[at] ?? 0) >> 4) & 7;
    types.add(type);
    skipContinued();
    if (type === 6) skipContinued();
    if (type === 7) at += 20;
    const { engine }: { engine: { bytesWritten: number } } = Object(inflateSync(pack.subarray(at), { info: true }));
    at += engine.bytesWritten;
  }
  return types;
}

onEveryHost("over HTTP", (journey) => {
  it("advertises refs to each version and service", async () => {
    const { url, tip } = await filled(journey);
    const v0 = await send(`${url}/info/refs?service=git-upload-pack`);
    expect(v0.status).toBe(200);
    expect(v0.headers.get("content-type")).toBe("application/x-git-upload-pack-advertisement");
    expect(v0.headers.get("cache-control")).toBe(NO_CACHE);
    expect(v0.headers.get("pragma")).toBe("no-cache");
    expect(v0.headers.get("expires")).toMatch(/1980/);
    const [service, flush, head] = parsePkts(v0.body).map(String);
    expect(service).toBe("# service=git-upload-pack\n");
    expect(flush).toBe("0000");
    expect(head).toMatch(new RegExp(`^${tip} HEAD\0`));
    for (const name of [
      "multi_ack",
      "thin-pack",
      "side-band",
      "side-band-64k",
      "ofs-delta",
      "no-progress",
      "include-tag",
    ]) {
      expect(` ${head?.split("\0")[1]} `).toContain(` ${name} `);
    }
    expect(head).toContain("symref=HEAD:refs/heads/main");
    expect(head).toContain("object-format=sha1");

    const v1 = await send(`${url}/info/refs?service=git-upload-pack`, { headers: { "Git-Protocol": "version=1" } });
    expect(parsePkts(v1.body).map(String)[2]).toBe("version 1\n");

    const v2 = await send(`${url}/info/refs?service=git-upload-pack`, { headers: V2 });
    const lines = parsePkts(v2.body).map(String);
    expect(lines).toContain("version 2\n");
    expect(lines.some((line) => line.startsWith("ls-refs"))).toBe(true);
    expect(lines.some((line) => line.startsWith("fetch"))).toBe(true);
    expect(v2.body.includes(tip)).toBe(false);

    const push = await send(`${url}/info/refs?service=git-receive-pack`);
    expect(push.headers.get("content-type")).toBe("application/x-git-receive-pack-advertisement");
    const [, , first] = parsePkts(push.body).map(String);
    expect(first).toMatch(new RegExp(`^${tip} refs/heads/main\0`));
    for (const name of [
      "report-status",
      "report-status-v2",
      "delete-refs",
      "side-band-64k",
      "quiet",
      "atomic",
      "ofs-delta",
    ]) {
      expect(` ${first?.split("\0")[1]} `).toContain(` ${name} `);
    }
  });

  it("advertises an empty repository", async () => {
    const url = await journey.create();
    const push = await send(`${url}/info/refs?service=git-receive-pack`);
    expect(parsePkts(push.body).map(String)[2]).toMatch(/^0{40} capabilities\^\{\}\0/);
    const v0 = await send(`${url}/info/refs?service=git-upload-pack`);
    expect(parsePkts(v0.body).map(String)[2] ?? "0000").toMatch(/^0{4}$|^0{40} capabilities\^\{\}\0/);
    const v2 = await post(url, "upload-pack", pktLines("command=ls-refs", "0001", "symrefs", "unborn", "0000"), V2);
    expect(v2.status).toBe(200);
    expect(parsePkts(v2.body).map(String)).toEqual(["unborn HEAD symref-target:refs/heads/main\n", "0000"]);
  });

  it("answers with and without .git", async () => {
    const { url } = await filled(journey);
    const bare = url.replace(/\.git$/, "");
    expect((await send(`${bare}/info/refs?service=git-upload-pack`)).status).toBe(200);
    expect((await post(bare, "upload-pack", pktLines("command=ls-refs", "0001", "0000"), V2)).status).toBe(200);
  });

  it("asks for credentials, and tells a client that its own are wrong", async () => {
    const { url } = await filled(journey);
    const target = new URL(url);
    target.password = "wrong";
    for (const remote of [url.replace(/\/\/[^@]*@/, "//"), target.href]) {
      const answer = await send(`${remote}/info/refs?service=git-receive-pack`);
      expect(answer.status).toBe(401);
      expect(answer.headers.get("www-authenticate")).toMatch(/^Basic realm="/);
    }
  });

  it("refuses requests that are not git's", async () => {
    const { url } = await filled(journey);
    expect((await send(`${url}/info/refs?service=git-nonsense`)).status).toBe(403);
    expect((await send(`${url}/no/such/file`)).status).toBe(404);
    const wrongType = await post(url, "upload-pack", pktLines("0000"), { "Content-Type": "text/plain" });
    expect(wrongType.status).toBe(415);
    expect([404, 405]).toContain((await send(`${url}/git-upload-pack`)).status);
    expect((await send(`${url.replace("repo-", "absent-")}/info/refs?service=git-upload-pack`)).status).toBe(404);
  });

  it("answers HEAD like GET without a body", async () => {
    const { url } = await filled(journey);
    const head = await send(`${url}/info/refs?service=git-upload-pack`, { method: "HEAD" });
    expect(head.status).toBe(200);
    expect(head.headers.get("content-type")).toBe("application/x-git-upload-pack-advertisement");
    expect(head.body).toHaveLength(0);
  });

  it("unzips request bodies", async () => {
    const { url, tip } = await filled(journey);
    const request = pktLines("command=ls-refs", "0001", "peel", "ref-prefix refs/heads/", "0000");
    const answer = await post(url, "upload-pack", gzipSync(request), { ...V2, "Content-Encoding": "gzip" });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/x-git-upload-pack-result");
    expect(parsePkts(answer.body).map(String)).toEqual([`${tip} refs/heads/main\n`, "0000"]);
  });

  it("answers the probe before a large push", async () => {
    const { url } = await filled(journey);
    const answer = await post(url, "receive-pack", Buffer.from("0000"));
    expect(answer.status).toBe(200);
  });

  it.each([
    ["deltas by oid", []],
    ["deltas by offset", ["--delta-base-offset"]],
  ])("takes a push of everything with %s", async (_, options) => {
    const { git } = journey;
    const source = await importFixture(git, "source", linear(60));
    const tip = await git.ok(["rev-parse", "main"], { cwd: source });
    const pack = await git.bytes(["pack-objects", "--revs", "--stdout", "-q", ...options], {
      cwd: source,
      input: `${tip}\n`,
    });
    expect(entryTypes(pack)).toContain(options.length === 0 ? 7 : 6);
    const url = await journey.create();
    const body = pushBody([{ name: "refs/heads/main", new: tip }], pack, "report-status ofs-delta");
    const answer = await post(url, "receive-pack", gzipSync(body), { "Content-Encoding": "gzip" });
    expect(reportLines(answer.body)).toEqual(["unpack ok", "ok refs/heads/main"]);
    const copy = git.fresh();
    await git.ok(["clone", "-q", "--bare", url, copy]);
    await git.fsck(copy);
  });

  it("refuses a body that is said to be zipped and is not", async () => {
    const { url } = await filled(journey);
    const request = pktLines("command=ls-refs", "0001", "0000");
    const answer = await post(url, "upload-pack", request, { ...V2, "Content-Encoding": "gzip" });
    expect(answer.body.includes("refs/heads/main")).toBe(false);
  });

  describe("fetching with capabilities left out", () => {
    it.each([
      ["no capability at all", ""],
      ["ofs-delta", " ofs-delta"],
      ["side-band", " side-band"],
      ["side-band-64k and no ofs-delta", " side-band-64k"],
      ["multi_ack", " multi_ack side-band-64k"],
      ["multi_ack_detailed no-done", " multi_ack_detailed no-done side-band-64k ofs-delta"],
    ])("v0 clone with %s", async (_, capabilities) => {
      const { url, tip } = await filled(journey, 40);
      const body = Buffer.concat([pkt(`want ${tip}${capabilities}\n`), pktLines("0000", "done")]);
      const answer = await post(url, "upload-pack", body);
      expect(answer.status).toBe(200);
      expect(String(parsePkts(answer.body)[0])).toBe("NAK\n");
      const frames = parsePkts(answer.body);
      const largest = Math.max(...frames.map((frame) => frame.length + 4));
      if (capabilities === " side-band") expect(largest).toBeLessThanOrEqual(1000);
      const pack = packOf(answer.body);
      const directory = await take(journey, pack);
      await journey.git.ok(["update-ref", "refs/heads/main", tip], { cwd: directory });
      await journey.git.fsck(directory);
      if (!capabilities.includes("ofs-delta")) expect(entryTypes(pack)).not.toContain(6);
    });

    it("answers a version 0 fetch of one commit, thin and not thin", async () => {
      const { url, source, tip } = await filled(journey, 30);
      const have = await journey.git.ok(["rev-parse", "main~1"], { cwd: source });
      for (const thin of ["", " thin-pack"]) {
        const body = Buffer.concat([
          pkt(`want ${tip} multi_ack_detailed side-band-64k ofs-delta${thin}\n`),
          pktLines("0000", `have ${have}`, "done"),
        ]);
        const answer = await post(url, "upload-pack", body);
        const lines = parsePkts(answer.body).map(String);
        expect(lines[0]).toMatch(new RegExp(`^ACK ${have}`));
        const pack = packOf(answer.body);
        expect(pack.readUInt32BE(8)).toBeLessThanOrEqual(5);
        if (thin === "") {
          const alone = await journey.git.init("alone", "--bare");
          // A pack that is not thin can be indexed where nothing else is.
          await journey.git.ok(["index-pack", "--stdin"], { cwd: alone, input: pack });
        }
      }
    });

    it("acknowledges what is common in version 2, and tells when it is ready", async () => {
      const { url, source, tip } = await filled(journey, 30);
      const have = await journey.git.ok(["rev-parse", "main~4"], { cwd: source });
      const unknown = "2".repeat(40);
      const lines = async (...request: string[]): Promise<string[]> => {
        const answer = await post(url, "upload-pack", pktLines("command=fetch", "0001", ...request, "0000"), V2);
        return parsePkts(answer.body).map((line) => (line.length > 200 ? "data" : String(line).trimEnd()));
      };
      expect(await lines(`want ${tip}`, `have ${unknown}`)).toEqual(["acknowledgments", "NAK", "0000"]);
      const ready = await lines("thin-pack", "ofs-delta", `want ${tip}`, `have ${unknown}`, `have ${have}`);
      expect(ready.slice(0, 5)).toEqual(["acknowledgments", `ACK ${have}`, "ready", "0001", "packfile"]);
      const waiting = await lines("wait-for-done", `want ${tip}`, `have ${have}`);
      expect(waiting.filter((line) => line !== "ready")).toEqual(["acknowledgments", `ACK ${have}`, "0000"]);
      const twice = await lines("wait-for-done", `want ${tip}`, `have ${have}`, `have ${have}`);
      // C git before 2.55 says it as often as it is asked.
      const once = journey.host === "c git" ? [...new Set(twice)] : twice;
      expect(once.filter((line) => line !== "ready")).toEqual(["acknowledgments", `ACK ${have}`, "0000"]);
      const done = await lines(`want ${tip}`, `have ${have}`, "done");
      expect(done[0]).toBe("packfile");
    });

    it("ends the exchange on a capability that was not offered", async () => {
      const { url, tip } = await filled(journey);
      const unknown = await post(url, "upload-pack", pktLines("command=nonsense", "0001", "0000"), V2);
      expect(unknown.status).toBeLessThan(500);
      const wanted = await post(
        url,
        "upload-pack",
        Buffer.concat([pkt(`want ${"3".repeat(40)}\n`), pktLines("0000", "done")]),
      );
      expect(String(wanted.body)).toContain("not our ref");
      expect(wanted.status).toBe(200);
      const both = await post(
        url,
        "upload-pack",
        Buffer.concat([pkt(`want ${tip} side-band\n`), pktLines("0000", "done")]),
      );
      expect(both.status).toBe(200);
    });
  });
});
