/**
 * Random requests of receive-pack, sent to C git and to a host that have the same refs: the same of them are moved and refused, the same
 * refs are there afterwards, and all that they reach.
 *
 * Where they may differ is told in `docs/shortcomings.md`.
 *
 * @packageDocumentation
 */
import { assert, array, asyncProperty } from "fast-check";
import { cpSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { HARMLESS } from "../../src/object/fsck-rule.ts";
import { apiClient } from "../support/api-client.ts";
import { TEST_SETTINGS } from "../support/cgi-server.ts";
import { leastTaken, scriptRuns } from "../support/fuzzing.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import {
  buildPack,
  commitOf,
  objectId,
  packOf,
  parsePkts,
  post,
  pushBody,
  treeOf,
  withTrailer,
  ZERO,
} from "../support/git-raw.ts";
import { startTestHost } from "../support/host.ts";
import { askGit, askHost, type Said } from "../support/protocol-bed.ts";
import { pushBytes, pushes, type PushNames, type PushScript } from "../support/push-scripts.ts";

const SETTINGS: Record<string, string> = {
  ...TEST_SETTINGS,
  "receive.fsckObjects": "true",
  ...Object.fromEntries(HARMLESS.map((id) => [`receive.fsck.${id}`, "warn"])),
  "receive.advertisePushOptions": "true",
  "receive.autogc": "false",
  "core.logAllRefUpdates": "false",
};
const REFS = [
  "refs/heads/main",
  "refs/heads/old",
  "refs/heads/new",
  "refs/heads/deep/one",
  "refs/tags/v1",
  "refs/tags/v2",
];

/** Pushes that move something, of which the last is looked at by git. */
const LOOKED_AT_EACH = 10;

let host: RunningHost;
let git: GitSandbox;
let template = "";
let names: PushNames;
const packs = new Map<string, Uint8Array>();
/** A pack of all that both have at first. */
let everything: Uint8Array = new Uint8Array();
let count = 0;

/** Objects that nobody has yet, and packs of them: whole, in part, and broken. */
function makePacks(main: string, tree: string): string[] {
  const blob = objectId("blob", "new\n");
  const newTree = treeOf(["100644", "new.txt", blob]);
  const child = commitOf(objectId("tree", newTree), [main]);
  const root = commitOf(objectId("tree", newTree));
  const grandchild = commitOf(tree, [objectId("commit", child)]);
  const tag = `object ${objectId("commit", child)}\ntype commit\ntag v9\ntagger A U Thor <a@example.com> 1700000000 +0000\n\nv9\n`;
  const entries = [
    { type: "blob", content: "new\n" },
    { type: "tree", content: newTree },
    { type: "commit", content: child },
    { type: "commit", content: root },
    { type: "commit", content: grandchild },
    { type: "tag", content: tag },
  ] as const;
  const whole = buildPack(entries);
  packs.set("whole", whole);
  packs.set("none", Buffer.alloc(0));
  packs.set("empty", buildPack([]));
  packs.set("without its file", buildPack(entries.slice(1)));
  packs.set("without its tree", buildPack(entries.filter(({ type }) => type !== "tree")));
  packs.set("cut off", whole.subarray(0, -30));
  packs.set("of another hash", Buffer.concat([whole.subarray(0, -20), Buffer.alloc(20, 1)]));
  packs.set(
    "of too few",
    withTrailer(Buffer.concat([whole.subarray(0, 8), Buffer.from([0, 0, 0, 9]), whole.subarray(12, -20)])),
  );
  packs.set("nonsense", Buffer.from("PACKnonsense"));
  return entries.map(({ type, content }) => objectId(type, content));
}

beforeAll(async () => {
  host = await startTestHost();
  git = new GitSandbox("pushes");
  template = await importFixture(git, "template", linear(6));
  for (const [name, value] of Object.entries(SETTINGS)) await git.ok(["config", name, value], { cwd: template });
  await git.ok(["update-ref", "refs/heads/old", "main~3"], { cwd: template });
  await git.ok(["tag", "-a", "-m", "v1", "v1", "main~1"], { cwd: template });
  everything = await git.bytes(["pack-objects", "--stdout", "--revs", "--all", "-q"], { cwd: template });
  const revs = ["main", "main~1", "main~3", "main~5", "v1", "main^{tree}", "main:VERSION"];
  const values: string[] = [];
  for (const rev of revs) values.push(await git.ok(["rev-parse", rev], { cwd: template }));
  const made = makePacks(values[0] ?? "", values[5] ?? "");
  names = {
    refs: REFS,
    values: [...values, ...made, ...made.slice(2)],
    commits: values.slice(0, 4),
    packs: ["whole", "whole", "whole", ...packs.keys()],
  };
});
afterAll(async () => {
  await host.stop();
  git.close();
});

/** The refs of both, which are alike. */
type Pair = { readonly directory: string; readonly url: string };

async function makePair(): Promise<Pair> {
  const name = `acme/pair-${++count}`;
  const directory = git.fresh("pair");
  cpSync(template, directory, { recursive: true });
  const url = withToken(`${host.base}/${name}.git`, "test-token");
  await apiClient(host.base, "test-token")("PUT", `/repos/${name}`);
  const commands = refsOfGit(template).map((line) => ({ name: line.slice(41), new: line.slice(0, 40) }));
  await post(url, "receive-pack", pushBody(commands, everything));
  return { directory, url };
}

/** Reads the refs of a bare repository, none of which is packed. */
function refsOfGit(directory: string): string[] {
  const files = readdirSync(join(directory, "refs"), { recursive: true, withFileTypes: true });
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  const lines = paths.map((path) => `${readFileSync(path, "latin1").trim()} ${path.slice(directory.length + 1)}`);
  return lines.toSorted((one, other) => (one.slice(41) < other.slice(41) ? -1 : 1));
}

async function refsOfHost(url: string): Promise<string[]> {
  const body = Buffer.from("0014command=ls-refs\n0000");
  const { body: answer } = await askHost(url, { service: "upload-pack", version: 2, body });
  return parsePkts(answer)
    .map((line) => line.toString("latin1").trimEnd())
    .filter((line) => line.includes(" refs/"));
}

/** What was told of a push: of the pack, and of each ref that was there or is to be; nothing where the request was refused. */
function reportOf(
  { body, died }: Said,
  script: PushScript,
  before: ReadonlyMap<string, string>,
): readonly string[] | "refused" {
  const isBanded = script.capabilities.includes("side-band-64k");
  const lines = parsePkts(body).map((line) => line.toString("latin1"));
  if (died || lines.some((line) => line.startsWith("ERR ") || line.startsWith("\u0003"))) return "refused";
  // C git can't lock a ref that is not there and lies below another one, even to delete it.
  const isVoid = (ref: string): boolean =>
    !before.has(ref) && script.commands.some((each) => each.ref === ref && each.next === ZERO);
  const inner = isBanded ? parsePkts(packOf(body)).map((line) => line.toString("latin1")) : lines;
  const told = inner.flatMap((line) => {
    const [word = "", what = ""] = line.trimEnd().split(" ");
    if (word === "unpack") return `unpack ${what === "ok" ? "ok" : "failed"}`;
    if (word !== "ok" && word !== "ng") return [];
    return isVoid(what) ? [] : `${word} ${what}`;
  });
  // What is told of a pack that nothing refers to differs: the host reads it to its end and drops it.
  const isMoved = told.some((line) => line.startsWith("ok "));
  return (isMoved ? told : told.filter((line) => !line.startsWith("unpack "))).toSorted();
}

/** What a push has become on C git's side: what was told of it, and its refs before and after. */
type Became = {
  readonly report: ReturnType<typeof reportOf>;
  readonly before: readonly string[];
  readonly after: readonly string[];
};

/** Whether C git did by halves what was to be done in one step: it goes on with the other refs where one lacks objects. */
function isHalfDone({ capabilities, commands }: PushScript, { report, before, after }: Became): boolean {
  if (!capabilities.includes("atomic")) return false;
  const isToldSo = report !== "refused" && ["ok ", "ng "].every((word) => report.some((line) => line.startsWith(word)));
  const lacksSome = commands.some(({ ref, next }) => {
    const value = after.find((line) => line.slice(41) === ref)?.slice(0, 40);
    return (value ?? ZERO) !== next;
  });
  return isToldSo || (lacksSome && before.join() !== after.join());
}

/** Pushes to both. Says whether refs were moved; `apart` where the two have different ones from now on, as they may. */
async function pushBoth({ directory, url }: Pair, script: PushScript): Promise<"moved" | "same" | "apart"> {
  const first = refsOfGit(directory);
  const before = new Map(first.map((line) => [line.slice(41), line.slice(0, 40)]));
  const body = pushBytes(script, (ref) => before.get(ref), { packs, other: names.commits[3] ?? "" });
  const asked = { service: "receive-pack", version: 0, body } as const;
  const [theirs, ours] = await Promise.all([askGit(git, directory, asked), askHost(url, asked)]);
  const [expected, found] = [reportOf(theirs, script, before), reportOf(ours, script, before)];
  const [left, right] = [refsOfGit(directory), await refsOfHost(url)];
  if (isHalfDone(script, { report: expected, before: first, after: left })) {
    const isMoved = found !== "refused" && found.some((line) => line.startsWith("ok "));
    expect({ script, refs: right, isMoved }).toEqual({ script, refs: first, isMoved: false });
    return "apart";
  }
  try {
    expect({ script, status: ours.status, report: found, refs: right }).toEqual({
      script,
      status: 200,
      report: expected,
      refs: left,
    });
  } catch (error) {
    const words = [theirs.words, theirs.body.toString("latin1", 0, 600), ours.body.toString("latin1", 0, 600)];
    throw new Error(`${String(error)}\n${words.join("\n---\n")}`, { cause: error });
  }
  return expected !== "refused" && expected.some((line) => line.startsWith("ok ")) ? "moved" : "same";
}

/** Fails where a clone is not whole. */
async function expectWhole({ url }: Pair): Promise<void> {
  const clone = git.fresh("clone");
  await git.ok(["clone", "-q", "--mirror", url, clone]);
  await git.fsck(clone);
  rmSync(clone, { recursive: true, force: true });
}

describe("random pushes, answered as C git answers them", () => {
  it("move the same refs", async () => {
    let moved = 0;
    await assert(
      asyncProperty(array(pushes(names), { minLength: 1, maxLength: 4 }), async (scripts) => {
        const pair = await makePair();
        for (const [at, script] of scripts.entries()) {
          // C git keeps what a refused push has brought, and the host does not: so later packs have all of it.
          const became = await pushBoth(pair, at === 0 ? script : { ...script, pack: "whole" });
          if (became === "apart") break;
          if (became === "moved" && moved++ % LOOKED_AT_EACH === 0) await expectWhole(pair);
        }
        rmSync(pair.directory, { recursive: true, force: true });
      }),
      scriptRuns(40),
    );
    expect(moved).toBeGreaterThanOrEqual(leastTaken(25));
  });
});
