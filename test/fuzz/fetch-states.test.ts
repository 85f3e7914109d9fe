/**
 * Random requests of upload-pack in versions 0, 1 and 2, sent to C git and to a host over the same history: same verdict, same words
 * about what is common and where the history is cut, same objects.
 *
 * Where they may differ is told in `docs/shortcomings.md`. Of objects that the client said it has, either side may send more than the
 * other: C git looks at the trees of the last commits that both have, and sends again what only older ones had.
 *
 * @packageDocumentation
 */
import { type Arbitrary, assert, asyncProperty } from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { apiClient } from "../support/api-client.ts";
import { TEST_SETTINGS } from "../support/cgi-server.ts";
import * as scripts from "../support/fetch-scripts.ts";
import { leastTaken, scriptRuns } from "../support/fuzzing.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { FixtureStream, importFixture } from "../support/git-fixtures.ts";
import { parsePkts } from "../support/git-raw.ts";
import { startTestHost } from "../support/host.ts";
import type { KnownObject } from "../support/pack-names.ts";
import { askGit, askHost, closureOf, fetchVerdict, objectsOf, type Said } from "../support/protocol-bed.ts";
import { SeededRandom } from "../support/seeded-random.ts";

const COMMITS = 40;
const BRANCHES = ["main", "side", "other", "deep/one"];
const SETTINGS: Record<string, string> = {
  ...TEST_SETTINGS,
  "transfer.advertiseObjectInfo": "true",
  "transfer.advertiseSID": "true",
  "uploadpack.allowFilter": "true",
  "uploadpack.allowTipSHA1InWant": "true",
  "uploadpack.allowReachableSHA1InWant": "true",
  "uploadpack.allowSidebandAll": "true",
};

let host: RunningHost;
let git: GitSandbox;
let bare = "";
let url = "";
let objects: ReadonlyMap<string, KnownObject>;
let names: scripts.Names;

/** A history with merges, branches, and tags of tags, trees and files. */
function history(): FixtureStream {
  const random = new SeededRandom(20);
  const stream = new FixtureStream();
  const marks: string[] = [];
  for (let at = 0; at < COMMITS; at++) {
    const from = at > 3 && random.below(3) === 0 ? random.pick(marks) : undefined;
    const merge = at > 3 && random.below(4) === 0 ? random.pick(marks) : undefined;
    const files = [
      {
        path: `d${random.below(4)}/e${random.below(3)}/f${random.below(6)}`,
        content: `${"text\n".repeat(random.below(40))}${at}\n`,
      },
      { path: `top-${random.below(5)}`, content: `${random.below(7)}\n` },
    ];
    marks.push(
      stream.commit(`refs/heads/${random.pick(BRANCHES)}`, files, {
        ...(from === undefined ? {} : { from }),
        ...(merge === undefined || merge === from ? {} : { merge }),
      }),
    );
    if (at % 6 === 1) stream.tag(`nested${at}`, stream.tag(`t${at}`, random.pick(marks)));
  }
  for (const branch of BRANCHES) stream.reset(`refs/heads/${branch}`, random.pick(marks.slice(-20)));
  stream.reset("refs/heads/main", marks.at(-1) ?? "");
  stream.reset("refs/tags/light", marks[9] ?? "");
  return stream;
}

beforeAll(async () => {
  host = await startTestHost();
  git = new GitSandbox("states");
  bare = await importFixture(git, "source", history());
  for (const [name, value] of Object.entries(SETTINGS)) await git.ok(["config", name, value], { cwd: bare });
  await git.ok(["gc", "-q", "--prune=now"], { cwd: bare });
  url = withToken(`${host.base}/acme/states.git`, "test-token");
  // The host has it in several packs.
  for (const ref of ["light", "side~1:refs/heads/side", "other"]) await git.ok(["push", "-q", url, ref], { cwd: bare });
  await git.ok(["push", "-q", "--mirror", url], { cwd: bare });
  // HEAD is the first branch that was pushed.
  await apiClient(host.base, "test-token")("PATCH", "/repos/acme/states", { default_branch: "main" });
  objects = await objectsOf(git, bare);
  const reached = (await git.ok(["rev-list", "--objects", "--no-object-names", "--all"], { cwd: bare })).split("\n");
  const commits = reached.filter((oid) => objects.get(oid)?.type === "commit");
  const refs = (await git.ok(["for-each-ref", "--format=%(refname)"], { cwd: bare })).split("\n");
  names = {
    refs,
    commits,
    others: reached.filter((oid) => objects.get(oid)?.type !== "commit"),
    times: Array.from({ length: 10 }, (_, at) => 1_700_000_000 + at * 300),
  };
});
afterAll(async () => {
  await host.stop();
  git.close();
});

/** Asks both; the host never fails by its status. */
async function askBoth(script: scripts.FetchScript): Promise<{ readonly theirs: Said; readonly ours: Said }> {
  const asked = { service: "upload-pack", version: script.version, body: scripts.scriptBytes(script) } as const;
  const [theirs, ours] = await Promise.all([askGit(git, bare, asked), askHost(url, asked)]);
  expect({ script, status: ours.status }).toEqual({ script, status: 200 });
  return { theirs, ours };
}

const namedBy = ({ lines }: scripts.FetchScript, word: string): string[] =>
  lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1, word.length + 41));

/** All that a client has by its own words. */
function hadBy(script: scripts.FetchScript): Set<string> {
  return closureOf(objects, namedBy(script, "have"), new Set(namedBy(script, "shallow")));
}

/** What was wanted by its name, which is sent whatever the filter and the cuts; with a filter, all that it reaches. */
function wantedByName(script: scripts.FetchScript): Set<string> {
  const wants = namedBy(script, "want");
  const isFiltered = script.lines.some((line) => line.startsWith("filter "));
  return isFiltered ? closureOf(objects, wants, new Set()) : new Set(wants);
}

/**
 * Whether C git takes a request that is cut off in the middle of a line for one that ends there, and has nothing more to say. The host says
 * that it is cut off.
 */
function isSilentOn({ cut }: scripts.FetchScript, { body, died }: Said): boolean {
  return cut > 0 && !died && !body.includes("PACK");
}

const asksForDepth = ({ lines }: scripts.FetchScript): boolean => lines.some((line) => line.startsWith("deepen"));

/** Compares, and shows the words of both where they differ. */
function expectSame(
  { theirs, ours }: { readonly theirs: Said; readonly ours: Said },
  found: object,
  wanted: object,
): void {
  try {
    expect(found).toEqual(wanted);
  } catch (error) {
    const said = [theirs.words, theirs.body.toString("latin1", 0, 400), ours.body.toString("latin1", 0, 400)];
    throw new Error(`${String(error)}\n${said.join("\n---\n")}`, { cause: error });
  }
}

async function compareFetch(script: scripts.FetchScript): Promise<boolean> {
  const { theirs, ours } = await askBoth(script);
  const isAll = script.lines.includes("sideband-all");
  const [expected, found] = [theirs, ours].map((said) => fetchVerdict(said, isAll, objects));
  const told = (verdict: typeof found): unknown =>
    verdict?.kind === "answered" ? { told: verdict.told, hasPack: verdict.sent !== undefined } : verdict?.kind;
  if (found?.kind === "refused" && isSilentOn(script, theirs)) return false;
  const goesOn = expected?.kind === "answered" && expected.sent === undefined;
  if (found?.kind === "refused" && goesOn && script.version === 2 && asksForDepth(script)) {
    // C git negotiates first, and looks at the depth once the pack is due.
    const last = { ...script, lines: [...script.lines.slice(0, -1), "done", "0000"] };
    expect({ last, verdict: fetchVerdict((await askBoth(last)).theirs, isAll, objects).kind }).toEqual({
      last,
      verdict: "refused",
    });
    return false;
  }
  expectSame({ theirs, ours }, { script, said: told(found) }, { script, said: told(expected) });
  if (found?.kind !== "answered" || expected?.kind !== "answered") return false;
  if (found.sent === undefined || expected.sent === undefined) return false;
  const had = hadBy(script);
  const free = wantedByName(script);
  const [sent, wanted] = [found.sent, expected.sent];
  const less = [...wanted].filter((oid) => !sent.has(oid) && !had.has(oid));
  const more = [...sent].filter((oid) => !wanted.has(oid) && !had.has(oid) && !free.has(oid));
  expectSame({ theirs, ours }, { script, less, more }, { script, less: [], more: [] });
  return true;
}

/** The lines of an answer that is no pack, or that it was refused. */
function linesOf({ body, died }: Said): readonly string[] {
  const lines = parsePkts(body).map((line) => line.toString("latin1").trimEnd());
  return died || lines.some((line) => line.startsWith("ERR ")) ? ["refused"] : lines;
}

async function compareLines(script: scripts.FetchScript): Promise<boolean> {
  const { theirs, ours } = await askBoth(script);
  const lines = linesOf(ours);
  if (lines[0] === "refused" && isSilentOn(script, theirs)) return false;
  expectSame({ theirs, ours }, { script, lines }, { script, lines: linesOf(theirs) });
  return lines[0] !== "refused";
}

/** Plays scripts. Returns how many were taken: else nothing but refusals would have been compared. */
async function play(
  made: Arbitrary<scripts.FetchScript>,
  few: number,
  compare: (script: scripts.FetchScript) => Promise<boolean>,
): Promise<number> {
  let taken = 0;
  await assert(
    asyncProperty(made, async (script) => {
      if (await compare(script)) taken++;
    }),
    scriptRuns(few),
  );
  return taken;
}

describe("random requests, answered as C git answers them", () => {
  it("fetch in version 2", async () => {
    expect(await play(scripts.fetchesV2(names), 250, compareFetch)).toBeGreaterThanOrEqual(leastTaken(141));
  });

  it("fetch in versions 0 and 1", async () => {
    expect(await play(scripts.fetchesV0(names), 250, compareFetch)).toBeGreaterThanOrEqual(leastTaken(84));
  });

  it("list refs", async () => {
    expect(await play(scripts.listings(names), 100, compareLines)).toBeGreaterThanOrEqual(leastTaken(76));
  });

  it("ask for sizes", async () => {
    expect(await play(scripts.infoRequests(names), 100, compareLines)).toBeGreaterThanOrEqual(leastTaken(79));
  });
});
