/** Advertisement, ls-refs and fetch, beside C git's upload-pack on the same repository. */
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { advertiseRefs, advertiseV2 } from "../../../../src/service/advertise.ts";
import { serveReceivePack } from "../../../../src/service/push/receive-pack.ts";
import { serveUploadPack } from "../../../../src/service/fetch/upload-pack.ts";
import { serveV2 } from "../../../../src/service/serve-v2.ts";
import { GitSandbox } from "../../../support/git-client.ts";
import { packOf, pushBody } from "../../../support/git-raw.ts";
import { pktBytes, pktText } from "../../../support/pkt.ts";
import { MemoryService, NEW_REPOSITORY, askGit, band, linesBeforePack, tools } from "../memory-service.ts";

const git = new GitSandbox("service");
afterAll(() => git.close());

const ABSENT = "5".repeat(40);
let work = "";
let bare = "";
const host = new MemoryService();
/** The commits of main, oldest first. */
const main: string[] = [];
let side = "";
let tag = "";

/** Pushes refs of a directory into a service's repository. */
async function pushAll(into: MemoryService, directory: string): Promise<void> {
  const refs = (await git.ok(["for-each-ref", "--format=%(objectname) %(refname)"], { cwd: directory })).split("\n");
  const pack = await git.bytes(["pack-objects", "--all", "--stdout", "-q", "--delta-base-offset"], { cwd: directory });
  const commands = refs.map((line) => ({ new: line.slice(0, 40), name: line.slice(41) }));
  const { body } = await into.run(serveReceivePack, pushBody(commands, pack), { create: NEW_REPOSITORY });
  if (pktText(body)[0] !== "unpack ok\\n") throw new Error(`the fixture was not taken: ${body.toString()}`);
}

beforeAll(async () => {
  work = await git.init("work");
  for (let number = 0; number < 12; number++) {
    const text = Array.from({ length: 200 }, (_, line) => `line ${line} ${line === number * 3 ? "changed" : ""}`).join(
      "\n",
    );
    main.push(await git.commit(work, "file.txt", text, `commit ${number}`));
  }
  await git.ok(["checkout", "-q", "-b", "side", main[3] ?? ""], { cwd: work });
  side = await git.commit(work, "side.txt", "side\n");
  await git.ok(["checkout", "-q", "main"], { cwd: work });
  await git.ok(["tag", "-a", "-m", "annotated", "v1", main[5] ?? ""], { cwd: work });
  await git.ok(["tag", "-a", "-m", "nested", "v1-again", "v1"], { cwd: work });
  await git.ok(["tag", "light", main[6] ?? ""], { cwd: work });
  tag = await git.ok(["rev-parse", "v1"], { cwd: work });
  bare = git.fresh("bare");
  await git.ok(["clone", "-q", "--mirror", work, bare]);
  await pushAll(host, bare);
});

describe("the advertisement", () => {
  test.each([
    ["git-upload-pack", 0],
    ["git-upload-pack", 1],
    ["git-receive-pack", 0],
    ["git-receive-pack", 1],
  ] as const)("of %s in version %i lists what C git lists", async (service, version) => {
    const ours = await host.run((exchange) => advertiseRefs(exchange, service, version), new Uint8Array());
    const theirs = await askGit(git, service === "git-upload-pack" ? "upload-pack" : "receive-pack", bare, { version });
    const [announcement, flush, ...lines] = pktText(ours.body);
    expect([announcement, flush]).toEqual([`# service=${service}\\n`, "0000"]);
    const withoutCapabilities = (line: string): string => line.replace(/\\0.*/, "");
    expect(lines.map(withoutCapabilities)).toEqual(pktText(theirs).map(withoutCapabilities));
    expect(lines.join("")).toContain("agent=thinpack/test");
    expect(lines.join("").includes("symref=HEAD:refs/heads/main")).toBe(service === "git-upload-pack");
    expect(ours.calls).toEqual(["open"]);
    expect(ours.admitted).toHaveLength(1);
  });

  it("falls back to version 0 for receive-pack, without the announcement, as http-backend does", async () => {
    const { body } = await host.run((exchange) => advertiseRefs(exchange, "git-receive-pack", 2), new Uint8Array());
    expect(pktText(body)[0]).toMatch(new RegExp(`^${main[11]} refs/heads/main\\\\0report-status`));
  });

  it("of version 2 needs no refs", async () => {
    const { body, calls } = await host.run(
      (exchange) => advertiseRefs(exchange, "git-upload-pack", 2),
      new Uint8Array(),
    );
    expect(body).toEqual(Buffer.from(advertiseV2("sha1", { agent: "thinpack/test", sessionId: "test-session" })));
    expect(pktText(body)[0]).toBe("version 2\\n");
    expect(pktText(body)).toContain("object-format=sha1\\n");
    expect(calls).toEqual(["open"]);
  });

  it("of a repository that a push would make has no refs", async () => {
    const run = new MemoryService().run(
      (exchange) => advertiseRefs(exchange, "git-receive-pack", 0),
      new Uint8Array(),
      {
        create: NEW_REPOSITORY,
      },
    );
    expect(pktText((await run).body)[2]).toMatch(/^f{40} \.have\\0report-status/);
  });

  it("passes a refusal on, with nothing written", async () => {
    const refuse = new Error("refused");
    const run = host.run((exchange) => advertiseRefs(exchange, "git-upload-pack", 0), new Uint8Array(), { refuse });
    await expect(run).rejects.toBe(refuse);
  });

  it("streams many refs", async () => {
    const many = new MemoryService();
    const names = Array.from({ length: 5000 }, (_, number) => `refs/heads/${"long/".repeat(6)}${number}`);
    const pack = await git.bytes(["pack-objects", "--stdout", "-q", "--revs"], { cwd: bare, input: `${main[0]}\n` });
    await many.run(
      serveReceivePack,
      pushBody(
        names.map((name) => ({ name, new: main[0] ?? "" })),
        pack,
      ),
      {
        create: NEW_REPOSITORY,
      },
    );
    const { body } = await many.run((exchange) => advertiseRefs(exchange, "git-upload-pack", 0), new Uint8Array());
    // the announcement and its flush, HEAD (made to point to the first branch), the refs and a flush
    expect(pktText(body)).toHaveLength(3 + names.length + 1);
  });
});

describe("ls-refs", () => {
  test.each([
    [["peel", "symrefs", "unborn"]],
    [["symrefs", "ref-prefix HEAD", "ref-prefix refs/heads/"]],
    [["peel", "ref-prefix refs/tags/v", "ref-prefix refs/tags/v1"]],
    [["ref-prefix H"]],
    [["ref-prefix refs/heads/main"]],
    [["ref-prefix refs/heads/%", "ref-prefix nothing"]],
    [[]],
  ])("lists what C git lists for %j", async (lines) => {
    const request = pktBytes("command=ls-refs", "0001", ...lines.map((line) => `${line}\\n`), "0000");
    const ours = await host.run(serveV2, request);
    const theirs = await askGit(git, "upload-pack", bare, { input: request, version: 2 });
    expect(pktText(ours.body)).toEqual(pktText(theirs));
    expect(ours.calls).toEqual(["open"]);
  });

  it("accepts a command without arguments", async () => {
    const request = pktBytes("command=ls-refs", "agent=x", "0000");
    const theirs = await askGit(git, "upload-pack", bare, { input: request, version: 2 });
    expect(pktText((await host.run(serveV2, request, { piece: 3 })).body)).toEqual(pktText(theirs));
  });

  it("shows the target of an unborn HEAD on request", async () => {
    const empty = new MemoryService();
    await empty.refs.create(NEW_REPOSITORY);
    const other = await git.init("empty", "--bare");
    for (const lines of [["symrefs", "unborn"], ["unborn"], ["symrefs"], ["symrefs", "unborn", "ref-prefix refs/"]]) {
      const request = pktBytes("command=ls-refs", "0001", ...lines, "0000");
      const theirs = await askGit(git, "upload-pack", other, { input: request, version: 2 });
      const ours = await empty.run(serveV2, request);
      expect([lines, pktText(ours.body)]).toEqual([lines, pktText(theirs)]);
    }
  });

  it("reads only the refs with the prefixes from the ref store", async () => {
    const request = pktBytes("command=ls-refs", "0001", "ref-prefix refs/heads/side", "0000");
    expect(pktText((await host.run(serveV2, request)).body)).toEqual([`${side} refs/heads/side\\n`, "0000"]);
  });
});

describe("a fetch request that cannot be answered", () => {
  const v2 = (...lines: string[]): Uint8Array => pktBytes(...lines);
  test.each([
    ["an unknown command", v2("command=constructor", "0000"), "invalid command 'constructor'"],
    ["an unknown capability", v2("command=ls-refs", "colour=red", "0000"), "unknown capability 'colour=red'"],
    ["no command", v2("agent=x", "0000"), "no command requested"],
    ["an unknown argument", v2("command=ls-refs", "0001", "sort", "0000"), "unexpected line: 'sort'"],
    ["a body cut off in a line", v2("command=ls-refs", "0001").subarray(0, -2), "the remote end hung up unexpectedly"],
    ["a body cut off between lines", v2("command=ls-refs", "0001"), "the remote end hung up unexpectedly"],
    ["a bad length", Buffer.from("00g0"), "protocol error: bad line length character: 00g0"],
    [
      "another hash function",
      v2("command=ls-refs", "object-format=sha256", "0000"),
      "mismatched object format: server sha1; client sha256",
    ],
    ["an unknown hash", v2("command=ls-refs", "object-format=md5", "0000"), "unknown object format 'md5'"],
    [
      "a want that is missing",
      v2("command=fetch", "0001", `want ${ABSENT}`, "done", "0000"),
      `upload-pack: not our ref ${ABSENT}`,
    ],
  ])("is refused in git's words in version 2: %s", async (_, request, message) => {
    const { body, calls, admitted } = await host.run(serveV2, request);
    expect(pktText(body)).toEqual([`ERR ${message}`]);
    expect(calls).toEqual(["open"]);
    expect(admitted).toHaveLength(1);
  });

  test.each([
    [
      "a capability that was not offered",
      pktBytes(`want ${ABSENT} shiny`, "0000"),
      "the server did not offer the capability 'shiny'",
    ],
    [
      "both side-bands",
      pktBytes(`want ${ABSENT} side-band side-band-64k`, "0000"),
      "the capabilities 'side-band' and 'side-band-64k' exclude each other",
    ],
    ["a want that is missing", pktBytes(`want ${ABSENT}`, "0000", "done"), `upload-pack: not our ref ${ABSENT}`],
    [
      "names of another hash function",
      pktBytes(`want ${"5".repeat(64)}`, "0000", "done"),
      "mismatched object format: server sha1; client sha256",
    ],
    [
      "a body cut off in the haves",
      pktBytes(`want ${ABSENT}`, "0000", `have ${ABSENT}`),
      "the remote end hung up unexpectedly",
    ],
  ])("is refused in git's words in version 0: %s", async (_, request, message) => {
    const { body, admitted } = await host.run(serveUploadPack, request);
    expect(pktText(body)).toEqual([`ERR ${message}`]);
    expect(admitted).toHaveLength(1);
  });

  it("reveals nothing to a requester who is not admitted", async () => {
    const refuse = new Error("hidden");
    for (const [serve, request] of [
      [serveV2, pktBytes("command=constructor", "0000")],
      [serveUploadPack, pktBytes("gibberish")],
      [serveV2, pktBytes("command=ls-refs", "0000")],
    ] as const) {
      await expect(host.run(serve, request, { refuse })).rejects.toBe(refuse);
    }
  });

  it("gets the limit's name for a flood of haves", async () => {
    const bounded = new MemoryService();
    bounded.limits = { ...bounded.limits, wants: 3 };
    await bounded.refs.create(NEW_REPOSITORY);
    const haves = Array.from({ length: 4 }, () => `have ${ABSENT}`);
    const { body } = await bounded.run(serveV2, pktBytes("command=fetch", "0001", ...haves, "0000"));
    expect(pktText(body)).toEqual(["ERR too many object names: more than 3"]);
    const lines = Array.from({ length: 2000 }, () => `server-option=${"x".repeat(1000)}`);
    expect(pktText((await host.run(serveV2, pktBytes(...lines))).body)).toEqual([
      "ERR too many capabilities in a request",
    ]);
  });

  it("gets an empty answer if it asks for nothing, once admitted", async () => {
    for (const [serve, request] of [
      [serveV2, pktBytes("0000")],
      [serveV2, new Uint8Array()],
      [serveUploadPack, pktBytes("0000")],
      [serveUploadPack, new Uint8Array()],
      [serveV2, pktBytes("command=fetch", "0001", `have ${ABSENT}`, "0000")],
      [serveReceivePack, pktBytes("0000")],
    ] as const) {
      const { body, admitted } = await host.run(serve, request);
      expect([body.length, admitted.length]).toEqual([0, 1]);
    }
  });
});

/** Indexes a pack beside a repository that may have its bases; gives the oids of the objects it brought. */
async function take(pack: Buffer, directory: string): Promise<string[]> {
  const answer = await git.ok(["index-pack", "--stdin", "--fix-thin", "--strict"], { cwd: directory, input: pack });
  const name = answer.split("\t")[1] ?? "";
  const rows = await git.ok(["show-index"], { cwd: directory, input: await indexBytes(directory, name) });
  return rows.split("\n").map((row) => row.split(" ")[1] ?? "");
}

async function indexBytes(directory: string, name: string): Promise<Buffer> {
  const { readFile } = await import("node:fs/promises");
  const root = await git.ok(["rev-parse", "--absolute-git-dir"], { cwd: directory });
  return await readFile(`${root}/objects/pack/pack-${name}.idx`);
}

/** The objects that one history has and the other has not. */
async function objectsBetween(wants: string[], haves: string[]): Promise<string[]> {
  const text = await git.ok(["rev-list", "--objects", ...wants, "--not", ...haves], { cwd: bare });
  return text
    .split("\n")
    .map((line) => line.slice(0, 40))
    .toSorted();
}

describe("negotiation in versions 0 and 1", () => {
  const at = (number: number): string => main[number] ?? "";
  const rounds = (): [string, string[]][] => [
    ["nothing known, flush", [`have ${ABSENT}`, "0000"]],
    ["nothing known, done", [`have ${ABSENT}`, "done\\n"]],
    ["no haves, done", ["done\\n"]],
    ["no haves, flush", ["0000"]],
    ["one common, flush", [`have ${at(4)}\\n`, "0000"]],
    ["one common, done", [`have ${at(4)}`, "done"]],
    ["two common, far apart, done", [`have ${at(2)}`, `have ${at(7)}`, "done"]],
    ["common and unknown, flush", [`have ${at(4)}`, `have ${ABSENT}`, "0000"]],
    ["unknown and common, flush", [`have ${ABSENT}`, `have ${at(4)}`, "0000"]],
    ["common that is not enough, unknown, flush", [`have ${side}`, `have ${ABSENT}`, "0000"]],
    ["unknown all around, done", [`have ${ABSENT}`, `have ${at(4)}`, `have ${"6".repeat(40)}`, "done"]],
    [
      "enough only with the second",
      [`have ${side}`, `have ${ABSENT}`, `have ${at(9)}`, `have ${"6".repeat(40)}`, "0000"],
    ],
  ];
  const styles = ["", "multi_ack", "multi_ack_detailed", "multi_ack_detailed no-done"];

  it.each(styles)("answers as C git does with '%s'", async (style) => {
    for (const [title, round] of rounds()) {
      for (const want of [at(11), side]) {
        const request = pktBytes(`want ${want} side-band-64k ofs-delta no-progress ${style}`, "0000", ...round);
        const ours = await host.run(serveUploadPack, request, { piece: 17 });
        const theirs = await askGit(git, "upload-pack", bare, { input: request }).catch(() => Buffer.alloc(0));
        expect(linesBeforePack(ours.body), `${title}, ${want}`).toEqual(linesBeforePack(theirs));
        expect(band(ours.body, 1).length > 0, `${title}: a pack`).toBe(band(theirs, 1).length > 0);
        expect(ours.calls).toEqual(["open"]);
      }
    }
  });

  it("acknowledges one object without multi_ack, where C git may acknowledge a parent as well", async () => {
    const request = pktBytes(`want ${at(11)}`, "0000", `have ${at(4)}`, `have ${at(3)}`, "done");
    const { body } = await host.run(serveUploadPack, request);
    expect(pktText(body)).toEqual([`ACK ${at(4)}\\n`]);
  });

  it("counts a common tag as its commit, where C git waits for a commit", async () => {
    const request = pktBytes(`want ${at(11)} multi_ack_detailed`, "0000", `have ${tag}`, "0000");
    const { body } = await host.run(serveUploadPack, request);
    expect(pktText(body)).toEqual([`ACK ${tag} common\\n`, `ACK ${tag} ready\\n`, "NAK\\n"]);
  });

  it("ends after the wants if no round follows, as for a client that asks about depth", async () => {
    const { body } = await host.run(serveUploadPack, pktBytes(`want ${at(11)}`, "0000"));
    expect(body).toHaveLength(0);
  });
});

describe("negotiation in version 2", () => {
  it("answers as C git does", async () => {
    const at = (number: number): string => main[number] ?? "";
    const rounds: string[][] = [
      [`have ${ABSENT}`],
      [`have ${at(4)}`],
      [`have ${at(4)}`, `have ${ABSENT}`, `have ${at(2)}`],
      [`have ${side}`],
      [`have ${side}`, "wait-for-done"],
      [`have ${at(4)}`, "wait-for-done"],
      [`have ${at(4)}`, "done"],
      [`have ${ABSENT}`, "done"],
      ["done"],
      [],
    ];
    for (const round of rounds) {
      const request = pktBytes("command=fetch", "0001", "no-progress", `want ${at(11)}`, ...round, "0000");
      const ours = await host.run(serveV2, request);
      const theirs = await askGit(git, "upload-pack", bare, { input: request, version: 2 });
      expect([round, linesBeforePack(ours.body)]).toEqual([round, linesBeforePack(theirs)]);
      expect([round, band(ours.body, 1).length > 0]).toEqual([round, band(theirs, 1).length > 0]);
      expect(ours.calls).toEqual(["open"]);
    }
  });

  it("acknowledges haves without wants for a client that waits for done", async () => {
    const request = pktBytes("command=fetch", "0001", "wait-for-done", `have ${main[4]}`, `have ${ABSENT}`, "0000");
    const theirs = await askGit(git, "upload-pack", bare, { input: request, version: 2 });
    expect(pktText((await host.run(serveV2, request)).body)).toEqual(pktText(theirs));
  });
});

describe("the pack of a fetch", () => {
  it.each([
    ["bare", ""],
    ["side-band", "side-band"],
    ["side-band-64k", "side-band-64k thin-pack ofs-delta"],
  ])("has every object of a clone in version 0: %s", async (_, capabilities) => {
    const request = pktBytes(`want ${main[11]} ${capabilities}`, `want ${side}`, "0000", "done");
    const { body } = await host.run(serveUploadPack, request);
    const pack = capabilities === "" ? packOf(body) : band(body, 1);
    const directory = await git.init("taker", "--bare");
    expect((await take(pack, directory)).toSorted()).toEqual(await objectsBetween([main[11] ?? "", side], []));
    if (capabilities === "side-band") expect(Math.max(...packetSizes(body))).toBeLessThanOrEqual(1000);
    expect(body.subarray(-4).toString() === "0000").toBe(capabilities !== "");
  });

  it("has the new objects of a fetch in version 2, and tags on request", async () => {
    for (const extra of [[], ["include-tag"], ["thin-pack", "ofs-delta"]]) {
      const lines = [`want ${main[7]}`, `have ${main[2]}`, ...extra, "done"];
      const { body } = await host.run(serveV2, pktBytes("command=fetch", "0001", ...lines, "0000"));
      const expected = await objectsBetween([main[7] ?? ""], [main[2] ?? ""]);
      // Not what thin completion adds, but what was sent: nothing of what the client has.
      const sent = band(body, 1).readUInt32BE(8);
      expect(sent).toBe(expected.length + (extra.includes("include-tag") ? 2 : 0));
      const brought = await take(band(body, 1), await withHistory(main[2] ?? ""));
      for (const oid of expected) expect(brought).toContain(oid);
      expect(brought.includes(tag)).toBe(extra.includes("include-tag"));
      expect(band(body, 2).toString()).toMatch(/Total \d+/);
    }
  });

  it("returns its kernel, also after a failure", async () => {
    const fetches = async (): Promise<void> => {
      for (const want of [main[7], ABSENT]) {
        await host.run(serveV2, pktBytes("command=fetch", "0001", `want ${want}`, "done", "0000"));
        await host.run(serveUploadPack, pktBytes(`want ${want}`, "0000", "done"));
      }
    };
    await fetches();
    const before = tools.pool.byteLength;
    await fetches();
    expect(tools.pool.byteLength).toBe(before);
  });

  it("comes without progress if the client wants none", async () => {
    const request = pktBytes("command=fetch", "0001", `want ${main[7]}`, "no-progress", "done", "0000");
    expect(band((await host.run(serveV2, request)).body, 2)).toHaveLength(0);
  });

  it("has reachable objects only: a want that no ref reaches is refused", async () => {
    const other = new MemoryService();
    await pushAll(other, bare);
    const tip = { name: "refs/heads/side", old: side, new: "0".repeat(40) };
    await other.run(serveReceivePack, pushBody([tip]));
    // What refs had within the last minute may be wanted.
    other.now += 61_000;
    const { body } = await other.run(serveV2, pktBytes("command=fetch", "0001", `want ${side}`, "done", "0000"));
    expect(pktText(body)).toEqual([`ERR upload-pack: not our ref ${side}`]);
  });

  it("ends with an error on band 3 if the store is damaged, and the error is rethrown", async () => {
    const damaged = new MemoryService();
    await pushAll(damaged, bare);
    // What was read before is still in the cache, so another repository's name is what makes it read.
    for (const [name, bytes] of damaged.storage.files)
      if (name.endsWith(".pack")) damaged.storage.files.set(name, bytes.subarray(0, 9));
    const written: Buffer[] = [];
    const run = damaged.run(
      async (exchange) =>
        await serveV2({
          ...exchange,
          output: { write: async (bytes) => void written.push(Buffer.from(bytes)) },
        }),
      pktBytes("command=fetch", "0001", `want ${main[11]}`, "done", "0000"),
    );
    await expect(run).rejects.toThrow(/pack/);
    expect(band(Buffer.concat(written), 3).toString()).toMatch(/^fatal: thinpack: internal error/);
  });
});

/** A bare repository with a commit's history and nothing else. */
async function withHistory(commit: string): Promise<string> {
  const directory = await git.init("history", "--bare");
  await git.ok(["fetch", "-q", bare, "main"], { cwd: directory });
  await git.ok(["update-ref", "refs/heads/main", commit], { cwd: directory });
  const pack = await git.bytes(["pack-objects", "--stdout", "-q", "--revs"], { cwd: directory, input: `${commit}\n` });
  const fresh = await git.init("history", "--bare");
  await git.ok(["index-pack", "--stdin"], { cwd: fresh, input: pack });
  writeFileSync(`${fresh}/refs/heads/main`, `${commit}\n`);
  return fresh;
}

function packetSizes(body: Buffer): number[] {
  const sizes: number[] = [];
  for (let at = 0; at + 4 <= body.length;) {
    const length = Number.parseInt(body.toString("latin1", at, at + 4), 16);
    sizes.push(length);
    at += Math.max(length, 4);
  }
  return sizes;
}

describe("a fetch with SHA-256", () => {
  it("speaks SHA-256 with one call of the ref store", async () => {
    const directory = await git.init("sha256", "--object-format=sha256");
    const first = await git.commit(directory, "a.txt", "one\n");
    const tip = await git.commit(directory, "a.txt", "two\n");
    const pack = await git.bytes(["pack-objects", "--all", "--stdout", "-q"], { cwd: directory });
    const other = new MemoryService();
    const body = Buffer.concat([
      pktBytes(`${"0".repeat(64)} ${tip} refs/heads/main\\0report-status object-format=sha256`, "0000"),
      pack,
    ]);
    const pushed = await other.run(serveReceivePack, body, { create: NEW_REPOSITORY });
    expect(pktText(pushed.body)).toEqual(["unpack ok\\n", "ok refs/heads/main\\n", "0000"]);

    const v2 = [
      "command=fetch",
      "object-format=sha256",
      "0001",
      "ofs-delta",
      `want ${tip}`,
      `have ${first}`,
      "done",
      "0000",
    ];
    const v0 = [`want ${tip} side-band-64k ofs-delta`, "0000", `have ${first}`, "done"];
    for (const [serve, lines] of [
      [serveV2, v2],
      [serveUploadPack, v0],
    ] as const) {
      const { body: answer, calls } = await other.run(serve, pktBytes(...lines));
      const taker = await git.init("taker", "--bare", "--object-format=sha256");
      const known = await git.bytes(["pack-objects", "--stdout", "-q", "--revs"], {
        cwd: directory,
        input: `${first}\n`,
      });
      await git.ok(["index-pack", "--stdin"], { cwd: taker, input: known });
      await git.ok(["index-pack", "--stdin", "--fix-thin", "--strict"], { cwd: taker, input: band(answer, 1) });
      expect(await git.ok(["rev-list", "--objects", "--count", tip], { cwd: taker })).toBe("6");
      expect(calls).toEqual(["open"]);
    }
  });
});
