/**
 * Requests that no honest client sends. Each is answered in git's words, which git itself is asked for with the same bytes, never
 * with a 5xx, and the repository is there as before.
 */
import { spawnSync } from "node:child_process";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { refsAt } from "../support/git-client.ts";
import { everything, importFixture, linear } from "../support/git-fixtures.ts";
import { type Journey, onEveryHost } from "../support/git-hosts.ts";
import { type RawAnswer, ZERO, packOf, parsePkts, pkt, pktLines, post, pushBody } from "../support/git-raw.ts";

const A = "a".repeat(40);
const V2 = { "Git-Protocol": "version=2" };

/** A repository with some history, the same for C git, and an object that is in it and that no ref reaches. */
type Scene = {
  readonly url: string;
  readonly bare: string;
  readonly tip: string;
  readonly unreachable: string;
  readonly elsewhere: string;
};

async function scene(journey: Journey): Promise<Scene> {
  const { git } = journey;
  const bare = await importFixture(git, "source", linear(10));
  const url = await journey.create();
  await git.ok(["config", "uploadpack.allowFilter", "true"], { cwd: bare });
  const tip = await git.ok(["rev-parse", "main"], { cwd: bare });
  await git.ok(["push", "-q", url, "main", "main~3:refs/heads/old"], { cwd: bare });
  // Pushed for a name that is refused, with another that is not: the pack is kept, and no ref ever had the commit.
  const cwd = git.fresh();
  await git.ok(["clone", "-q", "-b", "old", url, cwd]);
  const unreachable = await git.commit(cwd, "secret.txt", "secret\n");
  expect(
    (await git.git(["push", "-q", "origin", "HEAD:refs/heads/old/x", "HEAD~1:refs/heads/kept"], { cwd })).code,
  ).toBe(1);
  await git.ok(["push", "-q", "origin", ":kept"], { cwd });
  await git.ok(["fetch", "-q", cwd, "old:refs/heads/old"], { cwd: bare });
  await git.ok(["update-ref", "refs/heads/old", `${tip}~3`], { cwd: bare });
  const other = await journey.create("other");
  const another = await importFixture(git, "another", everything());
  await git.ok(["push", "-q", other, "main"], { cwd: another });
  return { url, bare, tip, unreachable, elsewhere: await git.ok(["rev-parse", "main"], { cwd: another }) };
}

/** What C git says against a request: its `ERR` line where it sends one, else what it dies of. */
function wordsOfGit(journey: Journey, bare: string, asked: Asked): string | undefined {
  const run = spawnSync("git", [asked.service, "--stateless-rpc", bare], {
    input: asked.body,
    env: { ...journey.git.environment(), GIT_PROTOCOL: `version=${asked.version}` },
    maxBuffer: 1 << 28,
  });
  return errorOf(run.stdout) ?? /^fatal: (.*)$/m.exec(run.stderr.toString())?.[1];
}

/** The text of the first `ERR` line of an answer. */
function errorOf(body: Uint8Array): string | undefined {
  const line = parsePkts(body).find((payload) => payload.subarray(0, 4).toString("latin1") === "ERR ");
  return line?.subarray(4).toString().trimEnd();
}

/** Zips `head` and 100 MB of a unit behind it. */
async function bomb(head: Uint8Array, unit: string): Promise<Buffer> {
  const zipped = createGzip({ level: 1 });
  const block = Buffer.from(unit.repeat(Math.ceil(1_000_000 / unit.length)), "latin1");
  const blocks = Readable.from([head, ...Array.from({ length: 100 }, () => block)]);
  const pieces: Buffer[] = [];
  zipped.on("data", (piece: Buffer) => pieces.push(piece));
  await pipeline(blocks, zipped);
  return Buffer.concat(pieces);
}

type Asked = {
  readonly service: "upload-pack" | "receive-pack";
  readonly version: 0 | 2;
  readonly body: Buffer;
};

const ask = (url: string, { service, version, body }: Asked): Promise<RawAnswer> =>
  post(url, service, body, version === 2 ? V2 : {});

/** A request by its lines, of which there may be more than a call takes arguments. */
const linesOf = (lines: readonly string[]): Buffer => Buffer.concat(lines.map((line) => pktLines(line)));
const upload = (version: 0 | 2, lines: readonly string[]): Asked => ({
  service: "upload-pack",
  version,
  body: linesOf(lines),
});
const v2 = (...lines: string[]): Asked => upload(2, lines);
const v0 = (...lines: string[]): Asked => upload(0, lines);
/** A request whose bytes are not pkt-lines as they should be, behind lines that are. */
const broken = (service: Asked["service"], version: 0 | 2, lines: string[], tail: string): Asked => ({
  service,
  version,
  body: Buffer.concat([pktLines(...lines), Buffer.from(tail, "latin1")]),
});

type Refused = readonly [title: string, (at: Scene) => Asked];

const DEPTHS = [
  "deepen 0",
  "deepen -1",
  "deepen nonsense",
  "deepen 1x",
  "deepen-since nonsense",
  "deepen-since 12x",
  "shallow nonsense",
];
const FILTERS = [
  "nonsense",
  "blob:nonsense",
  "blob:limit=",
  "blob:limit=x",
  "blob:limit=-1",
  "tree:",
  "tree:x",
  "tree:-1",
  "object:type=nonsense",
  "sparse:path=x",
  "combine:",
  "combine:blob:none+nonsense",
  "combine:blob:none+tree%ZZ",
  "__proto__",
];

/** Requests that C git refuses in the same words. */
const REFUSED: readonly Refused[] = [
  ["the command __proto__", () => v2("command=__proto__", "0000")],
  ["the command constructor", () => v2("command=constructor", "0001", "0000")],
  ["the command that is none", () => v2("command=", "0000")],
  ["a command with a value", () => v2("command=ls-refs=unborn", "0000")],
  ["two commands", () => v2("command=ls-refs", "command=fetch", "0000")],
  ["a command that is a capability", () => v2("command=agent", "0000")],
  ["no command", () => v2("agent=x", "0000")],
  ["a capability that there is not", () => v2("command=ls-refs", "__proto__=x", "0000")],
  ["another hash function", () => v2("command=ls-refs", "object-format=sha256", "0001", "0000")],
  ["an unknown hash function", () => v2("command=ls-refs", "object-format=md5", "0001", "0000")],
  ["a hash function without a name", () => v2("command=ls-refs", "object-format", "0001", "0000")],
  ["a listing with an unknown argument", () => v2("command=ls-refs", "0001", "nonsense", "0000")],
  ["a fetch with an unknown argument", ({ tip }) => v2("command=fetch", "0001", `want ${tip}`, "nonsense", "0000")],
  ["a fetch of no object name", () => v2("command=fetch", "0001", "want nonsense", "0000")],
  ["a fetch of half an object name", () => v2("command=fetch", "0001", `want ${A.slice(20)}`, "0000")],
  ["a have of no object name", ({ tip }) => v2("command=fetch", "0001", `want ${tip}`, "have x", "done", "0000")],
  ["a fetch of what is not there", () => v2("command=fetch", "0001", `want ${A}`, "done", "0000")],
  [
    "a fetch of another repository's",
    ({ elsewhere }) => v2("command=fetch", "0001", `want ${elsewhere}`, "done", "0000"),
  ],
  ["a fetch of nulls", () => v2("command=fetch", "0001", `want ${ZERO}`, "done", "0000")],
  ["object info of nonsense", () => v2("command=object-info", "0001", "type", "0000")],
  ...DEPTHS.map((line): Refused => [
    line,
    ({ tip }) => v2("command=fetch", "0001", `want ${tip}`, line, "done", "0000"),
  ]),
  ...DEPTHS.map((line): Refused => [`v0: ${line}`, ({ tip }) => v0(`want ${tip}`, line, "0000", "done")]),
  ...FILTERS.map((spec): Refused => [
    `the filter ${spec.slice(0, 40)}`,
    ({ tip }) => v2("command=fetch", "0001", `want ${tip}`, `filter ${spec}`, "done", "0000"),
  ]),
  ["v0: a filter that was not asked for", ({ tip }) => v0(`want ${tip}`, "filter blob:none", "0000", "done")],
  ["two filters", ({ tip }) => v2("command=fetch", "0001", `want ${tip}`, "filter blob:none", "filter tree:0", "0000")],
  ["v0: no want", () => v0("nonsense", "0000")],
  ["v0: a want of no object name", () => v0("want nonsense", "0000")],
  ["v0: a want of what is not there", () => v0(`want ${A}`, "0000", "done")],
  ["v0: a want of another repository's", ({ elsewhere }) => v0(`want ${elsewhere}`, "0000", "done")],
  ["v0: a want of what no ref reaches", ({ unreachable }) => v0(`want ${unreachable}`, "0000", "done")],
  ["v0: a have of no object name", ({ tip }) => v0(`want ${tip}`, "0000", "have nonsense", "done")],
  ["v0: no have", ({ tip }) => v0(`want ${tip}`, "0000", "nonsense", "done")],
];

const PKT_GARBAGE: readonly [title: string, tail: string][] = [
  ["no digits", "zzzz"],
  ["a digit too few", "00g0"],
  ["a sign", "-001"],
  ["a length that no line has", "0003"],
  ["the longest number", "FFFF"],
];

/** Where a request may be broken: its service and version, and what is right before. */
const PLACES: readonly [title: string, Asked["service"], 0 | 2, string[]][] = [
  ["upload-pack, version 2", "upload-pack", 2, []],
  ["upload-pack, version 2, among arguments", "upload-pack", 2, ["command=fetch", "0001"]],
  ["upload-pack, version 0", "upload-pack", 0, []],
  ["receive-pack", "receive-pack", 0, []],
];

onEveryHost(
  "bad requests",
  (journey) => {
    let made: Promise<Scene> | undefined;
    const at = (): Promise<Scene> => (made ??= scene(journey));
    const isWhole = async ({ url }: Scene): Promise<void> => {
      expect((await refsAt(journey.git, url)).map((line) => line.split(" ")[0])).toEqual([
        "refs/heads/main",
        "refs/heads/old",
      ]);
    };

    it.each(REFUSED)("refuses %s in git's words", async (_, make) => {
      const here = await at();
      const asked = make(here);
      const answer = await ask(here.url, asked);
      expect(answer.status).toBe(200);
      const said = errorOf(answer.body);
      expect(said).toBeDefined();
      expect(said).toBe(wordsOfGit(journey, here.bare, asked));
    });

    it("refuses to fetch what no ref reaches, in version 2 too, where C git has it fetched", async () => {
      const here = await at();
      const asked = v2("command=fetch", "0001", `want ${here.unreachable}`, "done", "0000");
      expect(wordsOfGit(journey, here.bare, asked)).toBeUndefined();
      expect(errorOf((await ask(here.url, asked)).body)).toBe(`upload-pack: not our ref ${here.unreachable}`);
    });

    describe.each(PLACES)("%s", (_, service, version, lines) => {
      it.each(PKT_GARBAGE)("refuses a line with %s", async (__, tail) => {
        const here = await at();
        const asked = broken(service, version, lines, tail);
        const answer = await ask(here.url, asked);
        expect(answer.status).toBe(200);
        expect(errorOf(answer.body)).toBe(wordsOfGit(journey, here.bare, asked));
      });

      it.each(["0", "000", "0032want", "0010"])("refuses to be cut off at %j", async (tail) => {
        const here = await at();
        const asked = broken(service, version, lines, tail);
        const answer = await ask(here.url, asked);
        expect(answer.status).toBe(200);
        expect(errorOf(answer.body)).toBe("the remote end hung up unexpectedly");
        // The first line of version 2 that is cut off is to C git as none at all.
        const silent = version === 2 && lines.length === 0;
        expect(wordsOfGit(journey, here.bare, asked) ?? "").toMatch(silent ? /^$/ : /hung up/);
        await isWhole(here);
      });

      it("refuses a line that is longer than the longest", async () => {
        const here = await at();
        const answer = await ask(here.url, broken(service, version, lines, `fff1${"x".repeat(65_517)}`));
        expect(answer.status).toBe(200);
        expect(errorOf(answer.body)).toBe("protocol error: bad line length 65517");
      });
    });

    it.each([
      ["an empty body", ""],
      ["a lone flush", "0000"],
    ])("answers %s with nothing, as C git does", async (_, text) => {
      const here = await at();
      for (const version of [0, 2] as const) {
        const answer = await ask(here.url, { service: "upload-pack", version, body: Buffer.from(text) });
        expect([answer.status, answer.body.length]).toEqual([200, 0]);
      }
    });

    it.each([
      ["no command", "nonsense"],
      ["half a command", `${A} ${A}`],
      ["names that are too short", `${A.slice(1)} ${A} refs/heads/x`],
      ["no names", "x y refs/heads/x"],
    ])("refuses a push of %s", async (_, line) => {
      const here = await at();
      const body = Buffer.concat([pkt(`${line}\0 report-status`), Buffer.from("0000")]);
      const asked: Asked = { service: "receive-pack", version: 0, body };
      const answer = await ask(here.url, asked);
      expect(answer.status).toBe(200);
      expect(errorOf(answer.body)).toBe(wordsOfGit(journey, here.bare, asked));
      await isWhole(here);
    });

    it("refuses what it did not offer, where C git goes on without it", async () => {
      const here = await at();
      const asked = v0(`want ${here.tip} no-such-thing`, "0000", "done");
      expect(errorOf((await ask(here.url, asked)).body)).toBe(
        "the server did not offer the capability 'no-such-thing'",
      );
      expect(wordsOfGit(journey, here.bare, asked)).toBeUndefined();
    });

    it("refuses to leave out what no ref names", async () => {
      // Before 2.48 C git called it ambiguous.
      const { url, tip } = await at();
      const line = "deepen-not refs/heads/no-such";
      for (const asked of [v2("command=fetch", "0001", `want ${tip}`, line, "0000"), v0(`want ${tip}`, line, "0000")]) {
        expect(errorOf((await ask(url, asked)).body)).toBe(`git upload-pack: deepen-not is not a ref: ${line}`);
      }
    });

    it.each(["2147483647", "2147483648", "4294967296", "99999999999999999999", "0x7fffffff"])(
      "takes or refuses a depth of %s, but in words",
      async (depth) => {
        const { url, tip } = await at();
        const answer = await ask(url, v2("command=fetch", "0001", `want ${tip}`, `deepen ${depth}`, "done", "0000"));
        expect(answer.status).toBe(200);
        const said = errorOf(answer.body);
        if (said === undefined) expect(packOf(answer.body).toString("latin1", 0, 4)).toBe("PACK");
        else expect(said).toBe(`Invalid deepen: deepen ${depth}`);
      },
    );

    it("refuses a filter that is nested four thousand deep", async () => {
      const { url, tip } = await at();
      for (const inner of ["blob:none", "nonsense"]) {
        const line = `filter ${"combine:".repeat(4000)}${inner}`;
        const answer = await ask(url, v2("command=fetch", "0001", `want ${tip}`, line, "done", "0000"));
        expect(answer.status).toBe(200);
        expect(errorOf(answer.body)).toMatch(/filter/);
      }
    });

    describe("a hundred thousand", () => {
      const HUNDRED_THOUSAND = 100_000;
      const oids = Array.from({ length: HUNDRED_THOUSAND }, (_, index) => index.toString(16).padStart(40, "f"));

      it("haves that are not here are acknowledged by one NAK", async () => {
        const { url, tip } = await at();
        const haves = oids.map((oid) => `have ${oid}`);
        const body = gzipSync(linesOf(["command=fetch", "0001", `want ${tip}`, ...haves, "0000"]));
        const answer = await post(url, "upload-pack", body, { ...V2, "Content-Encoding": "gzip" });
        expect(parsePkts(answer.body).map(String)).toEqual(["acknowledgments\n", "NAK\n", "0000"]);
        const old = await ask(url, upload(0, [`want ${tip} multi_ack_detailed`, "0000", ...haves, "done"]));
        expect(String(parsePkts(old.body)[0])).toBe("NAK\n");
        expect(packOf(old.body).toString("latin1", 0, 4)).toBe("PACK");
      });

      it("wants of one object are one want", async () => {
        const { url, tip } = await at();
        const wants = oids.map(() => `want ${tip}`);
        const many = await ask(url, upload(2, ["command=fetch", "0001", ...wants, "done", "0000"]));
        const one = await ask(url, v2("command=fetch", "0001", `want ${tip}`, "done", "0000"));
        expect(packOf(many.body).equals(packOf(one.body))).toBe(true);
      });

      it("wants of what is not here are refused for the first", async () => {
        const { url } = await at();
        const wants = oids.map((oid) => `want ${oid}`);
        expect(errorOf((await ask(url, upload(2, ["command=fetch", "0001", ...wants, "done", "0000"]))).body)).toBe(
          `upload-pack: not our ref ${oids[0]}`,
        );
      });

      it("of twice as many lines and one more are refused for their number", async () => {
        const { url, tip } = await at();
        for (const kind of ["want", "have", "oid"]) {
          const command = kind === "oid" ? ["command=object-info", "0001"] : ["command=fetch", "0001", `want ${tip}`];
          const lines = Array.from({ length: 200_001 }, () => `${kind} ${tip}`);
          const body = gzipSync(linesOf([...command, ...lines, "0000"]));
          const answer = await post(url, "upload-pack", body, { ...V2, "Content-Encoding": "gzip" });
          expect(answer.status).toBe(200);
          expect(errorOf(answer.body)).toContain("200000");
        }
      });
    });

    describe("bodies", () => {
      it.each(["text/plain", "application/x-git-receive-pack-request", ""])("of type %j are refused", async (type) => {
        const { url } = await at();
        const answer = await post(url, "upload-pack", pktLines("command=ls-refs", "0000"), {
          ...V2,
          "Content-Type": type,
        });
        expect(answer.status).toBe(415);
        expect(answer.body.toString().trimEnd()).toBe(
          `Expected POST with Content-Type 'application/x-git-upload-pack-request', but received '${type}' instead.`,
        );
      });

      it.each(["br", "deflate", "gzip, gzip"])("encoded as %s are refused", async (encoding) => {
        const { url } = await at();
        const body = pktLines("command=ls-refs", "0000");
        const answer = await post(url, "upload-pack", body, { ...V2, "Content-Encoding": encoding });
        expect(answer.status).toBe(400);
      });

      it("whose gzip data is cut off, damaged, or followed by more are refused", async () => {
        const { url } = await at();
        const zipped = gzipSync(pktLines("command=ls-refs", "0000"));
        const damaged = Buffer.from(zipped);
        damaged[15] = (damaged[15] ?? 0) ^ 0xff;
        for (const body of [zipped.subarray(0, 20), damaged, Buffer.concat([zipped, Buffer.from("more")])]) {
          const answer = await post(url, "upload-pack", body, { ...V2, "Content-Encoding": "gzip" });
          expect(answer.status).toBe(400);
        }
      });

      // A thousand times smaller than what they unzip to.
      it.each([
        ["flushes", "upload-pack", 2, [], "0000", ""],
        ["empty lines", "upload-pack", 2, ["command=fetch", "0001"], "0004", "ERR unexpected line: ''"],
        ["empty lines behind a command", "upload-pack", 2, ["command=fetch"], "0004", "ERR too many capabilities"],
        [
          "long capabilities",
          "upload-pack",
          2,
          ["command=fetch"],
          `fff0agent=${"x".repeat(65_510)}`,
          "ERR too many capabilities",
        ],
        ["server options", "upload-pack", 2, ["command=ls-refs"], "0012server-option=", "ERR too many capabilities"],
        [
          "prefixes",
          "upload-pack",
          2,
          ["command=ls-refs", "0001"],
          "000fref-prefix ",
          "ERR too many arguments: more than 1000000",
        ],
        ["depths", "upload-pack", 0, [`want ${A}`], "000cdeepen 1", "ERR too many arguments: more than 1000000"],
        ["sizes", "upload-pack", 2, ["command=object-info", "0001"], "0008size", "ERR too many arguments"],
        ["wants", "upload-pack", 0, [], `0031want ${A}`, "ERR too many object names"],
        [
          "push options",
          "receive-pack",
          0,
          [`${ZERO} ${A} refs/heads/x\0push-options`, "0000"],
          "0004",
          "ERR push options of more than 65536 bytes",
        ],
        ["shallow lines", "receive-pack", 0, [], `0034shallow ${A}`, "ERR too many object names"],
        ["commands", "receive-pack", 0, [], `fff0${ZERO} ${A} refs/${"x".repeat(65_429)}`, "ERR too many commands"],
        [
          "a pack",
          "receive-pack",
          0,
          [`${ZERO} ${A} refs/heads/x\0report-status`, "0000"],
          "\0".repeat(1000),
          "unpack protocol error",
        ],
      ] as const)("that unzip to %s without end are refused", async (...[, service, version, lines, unit, words]) => {
        const here = await at();
        const body = await bomb(pktLines(...lines), unit);
        expect(body.length).toBeLessThan(2_000_000);
        const answer = await post(here.url, service, body, {
          ...(version === 2 ? V2 : {}),
          "Content-Encoding": "gzip",
        });
        expect(answer.status).toBe(200);
        expect(answer.body.subarray(4).toString()).toContain(words);
        await isWhole(here);
      });
    });

    it("refuses a push with a broken pack behind good commands, and leaves nothing", async () => {
      const here = await at();
      for (const tail of ["", "PACK", "PACK\0\0\0\u0002", "nonsense"]) {
        const body = pushBody([{ name: "refs/heads/x", new: A }], Buffer.from(tail, "latin1"));
        const answer = await ask(here.url, { service: "receive-pack", version: 0, body });
        expect(answer.status).toBe(200);
        expect(String(parsePkts(answer.body)[0])).toMatch(/^unpack (?!ok)/);
        await isWhole(here);
      }
    });
  },
  ["thinpack"],
);
