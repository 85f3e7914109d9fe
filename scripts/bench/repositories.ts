/**
 * The repositories that are pushed: a copy of a given repository's branches and tags, or one of incompressible blobs.
 *
 * @packageDocumentation
 */
import { spawn } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ObjectFormat } from "../../src/object/object-id.ts";
import { timeCommand } from "./process-time.ts";
import { chooseBlobs, type WantedBlobs } from "./wanted-blobs.ts";
import { narrowed, type WideTrees, WIDE, wideTrees } from "./wide-trees.ts";
import type { GitSandbox } from "../../test/support/git-client.ts";

/** A repository to measure with. */
export type Subject = {
  readonly name: string;
  readonly format: ObjectFormat;
  /** A bare repository with all there is to push. */
  readonly directory: string;
  /** The branch that the extra commit goes on: a full ref name. */
  readonly branch: string;
  /** A full ref name: a branch that reaches half of the other's commits. Absent if there are too few commits. */
  readonly half?: string;
  /** The blobs that a clone without blobs is made to ask for. */
  readonly blobs: WantedBlobs;
  /** The refspecs of the first push. */
  readonly refspecs: readonly string[];
  readonly objects: number;
  /** Bytes of the pack that a push of everything makes. */
  readonly packBytes: number;
  /** Seconds of processor that C git's own indexing of that pack takes on one thread, with every check. */
  readonly indexCpu: number;
  readonly scenario?: Scenario;
};

/** A subject made here: this many blobs of this many bytes of noise. */
export type Scenario = "blobs300" | "blob100";

const SCENARIOS: Record<Scenario, { blobs: number; bytes: number }> = {
  blobs300: { blobs: 30, bytes: 10_000_000 },
  blob100: { blobs: 1, bytes: 100_000_000 },
};

/** Whether a command-line argument names a scenario. */
export function isScenario(name: string): name is Scenario {
  return name in SCENARIOS;
}

/** Repositories of wide trees that are made here: the whole one, and one of a tenth of its size. */
const WIDE_SUBJECTS: Record<string, WideTrees> = { wide: WIDE, wide10: narrowed(10) };

/** Whether a command-line argument names a repository of wide trees. */
export function isWide(name: string): boolean {
  return name in WIDE_SUBJECTS;
}

/** Commits that a repository needs before half of them says anything. */
const LEAST_HISTORY = 1000;

/** Copies the branches and tags of a repository, and nothing else it may have. */
export async function copySubject(git: GitSandbox, source: string): Promise<Subject> {
  const directory = await git.init("subject", "--bare");
  const refspecs = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
  await git.ok(["fetch", "-q", "--no-tags", source, ...refspecs], { cwd: directory, timeout: 1_800_000 });
  const heads = (await git.ok(["for-each-ref", "--format=%(refname)", "refs/heads"], { cwd: directory })).split("\n");
  const head = (await git.git(["symbolic-ref", "HEAD"], { cwd: source })).stdout.trim();
  const usual = [head, "refs/heads/main", "refs/heads/master"].find((name) => heads.includes(name)) ?? heads[0];
  if (usual === undefined || usual === "") throw new Error(`${source} has no branch`);
  await git.ok(["symbolic-ref", "HEAD", usual], { cwd: directory });
  const half = await branchHalfway(git, directory, usual);
  return await measureSubject(git, {
    name: "repository",
    directory,
    branch: usual,
    ...(half === undefined ? {} : { half }),
    refspecs: ["refs/heads/*", "refs/tags/*"],
  });
}

/** Makes a branch at the first-parent ancestor that reaches half of what a branch reaches. */
async function branchHalfway(git: GitSandbox, cwd: string, branch: string): Promise<string | undefined> {
  const countOf = async (revision: string): Promise<number> =>
    Number(await git.ok(["rev-list", "--count", revision], { cwd }));
  const line = (await git.ok(["rev-list", "--first-parent", branch], { cwd })).split("\n");
  const all = await countOf(branch);
  if (all < LEAST_HISTORY) return undefined;
  let [reachesMore, reachesLess] = [0, line.length - 1];
  while (reachesLess - reachesMore > 1) {
    const middle = (reachesMore + reachesLess) >> 1;
    if ((await countOf(line[middle] ?? "")) * 2 > all) reachesMore = middle;
    else reachesLess = middle;
  }
  const half = `${branch}-half`;
  await git.ok(["update-ref", half, line[reachesMore] ?? ""], { cwd });
  return half;
}

/** Makes a repository of noise. */
export async function makeSubject(git: GitSandbox, scenario: Scenario): Promise<Subject> {
  const directory = await git.init("subject", "--bare");
  const branch = "refs/heads/main";
  const { blobs, bytes } = SCENARIOS[scenario];
  const child = spawn("git", ["-c", "core.compression=1", "fast-import", "--quiet"], {
    cwd: directory,
    env: git.environment(),
    stdio: ["pipe", "ignore", "inherit"],
  });
  const write = async (piece: string | Uint8Array): Promise<void> => {
    if (!child.stdin.write(piece)) await once(child.stdin, "drain");
  };
  await write(`commit ${branch}\ncommitter C O Mitter <committer@example.com> 1700000000 +0000\ndata 6\nblobs\n`);
  for (let at = 0; at < blobs; at++) {
    await write(`M 100644 inline blob-${at}\ndata ${bytes}\n`);
    await write(randomFillSync(new Uint8Array(bytes)));
    await write("\n");
  }
  child.stdin.end();
  await once(child, "close");
  // Trying deltas between blobs of noise would only delay the client.
  await git.ok(["config", "core.bigFileThreshold", "1m"], { cwd: directory });
  return await measureSubject(git, { name: scenario, directory, branch, refspecs: [branch], scenario });
}

/** Makes a repository of wide trees, packed as a server that many cloned from would have it. */
export async function makeWide(git: GitSandbox, name: string): Promise<Subject> {
  const size = WIDE_SUBJECTS[name];
  if (size === undefined) throw new Error(`no such repository: ${name}`);
  const directory = await git.init("subject", "--bare");
  const branch = "refs/heads/main";
  const child = spawn("git", ["fast-import", "--quiet"], {
    cwd: directory,
    env: git.environment(),
    stdio: ["pipe", "ignore", "inherit"],
  });
  for (const piece of wideTrees(size, branch)) if (!child.stdin.write(piece)) await once(child.stdin, "drain");
  child.stdin.end();
  await once(child, "close");
  await git.ok(["repack", "-adfq"], { cwd: directory, timeout: 1_800_000 });
  const half = await branchHalfway(git, directory, branch);
  const subject = { name, directory, branch, refspecs: ["refs/heads/*"] };
  return await measureSubject(git, half === undefined ? subject : { ...subject, half });
}

type Unmeasured = Omit<Subject, "format" | "blobs" | "objects" | "packBytes" | "indexCpu">;

/** Packs everything as a push would, and times `git index-pack --strict --threads=1` on that. */
async function measureSubject(git: GitSandbox, subject: Unmeasured): Promise<Subject> {
  const pack = git.path("subject.pack");
  const revisions = git.path("revisions");
  const env = git.environment();
  const cwd = subject.directory;
  await timeCommand(["git", "rev-parse", "--branches", "--tags"], { cwd, env, output: revisions });
  const args = ["pack-objects", "--revs", "--stdout", "--delta-base-offset", "--threads=1", "-q"];
  await timeCommand(["git", ...args], { cwd, env, input: revisions, output: pack });
  const empty = await git.init("empty", "--bare");
  const index = ["git", "index-pack", "--strict", "--threads=1", "-o", join(empty, "subject.idx"), pack];
  const { cpu } = await timeCommand(index, { cwd: empty, env });
  const blobs = await chooseBlobs(git, cwd, subject.half ?? subject.branch);
  const { format } = git;
  return { ...subject, format, blobs, objects: objectsIn(pack), packBytes: statSync(pack).size, indexCpu: cpu };
}

/** The number of objects that a pack's header gives. */
function objectsIn(pack: string): number {
  const header = Buffer.alloc(12);
  const file = openSync(pack, "r");
  readSync(file, header, 0, header.length, 0);
  closeSync(file);
  return header.readUInt32BE(8);
}

/** The place to which commits are added. */
export type Growth = {
  /** The repository's directory. */
  readonly cwd: string;
  /** A full ref name. */
  readonly branch: string;
  /** The first one's number, which makes it unlike others. */
  readonly first: number;
  readonly count: number;
};

/** Adds commits of a small change each on a branch, and gives the last one's oid. */
export async function addCommits(git: GitSandbox, { cwd, branch, first, count }: Growth): Promise<string> {
  const commits = Array.from({ length: count }, (_, at) => {
    const number = first + at;
    const text = `one more commit, number ${number}\n`;
    return [
      `commit ${branch}`,
      `committer C O Mitter <committer@example.com> ${1_800_000_000 + number} +0000`,
      `data ${text.length}\n${text}${at === 0 ? `from ${branch}^0` : ""}`,
      `M 100644 inline benchmark/file-${number}.txt\ndata ${text.length}\n${text}`,
    ].join("\n");
  });
  await git.ok(["fast-import", "--quiet"], { cwd, input: `${commits.join("\n")}\n` });
  return await git.ok(["rev-parse", branch], { cwd });
}
