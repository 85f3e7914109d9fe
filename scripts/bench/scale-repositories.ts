/**
 * Repositories that are large in one way each, made by a script at any size: objects, commits, refs, files in one commit, or
 * pushes. They are the same each time.
 *
 * @packageDocumentation
 * @see git-fast-import(1)
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { GitSandbox } from "../../test/support/git-client.ts";

/** What a repository has much of. */
export type ScaleKind = "objects" | "commits" | "refs" | "files" | "pushes";

/** How many of each the whole benchmark has. */
export const FULL_SCALE: Readonly<Record<ScaleKind, number>> = {
  objects: 1_000_000,
  commits: 100_000,
  refs: 100_000,
  files: 200_000,
  pushes: 2000,
};

/** Objects of a commit of `objects`: itself, the root, and a directory and a file for each change. */
const OBJECTS_PER_COMMIT = 10;
const CHANGES = 4;
/** Directories of `objects`, and files in each. */
const [DIRECTORIES, FILES] = [64, 16];
/** Files in a directory of `files`. */
const FILES_PER_DIRECTORY = 200;
/** Refs that a commit of `refs` has. */
const REFS_PER_COMMIT = 10;
/** Most objects of one push; one of more than 750,000 is refused. */
const MOST_PUSHED = 600_000;

/** A repository to push. */
export type ScaleSubject = {
  readonly kind: ScaleKind;
  readonly size: number;
  /** A bare repository. */
  readonly directory: string;
  /** The revisions that are pushed to the branch, one after the other. */
  readonly revisions: readonly string[];
  /** Refs beside the branch. */
  readonly refs: readonly { readonly name: string; readonly oid: string }[];
};

const BRANCH = "refs/heads/main";

function commitHead(number: number): string {
  const message = `commit ${number}\n`;
  const who = `C O Mitter <committer@example.com> ${1_500_000_000 + number * 60} +0000`;
  return `commit ${BRANCH}\ncommitter ${who}\ndata ${message.length}\n${message}`;
}

const file = (path: string, content: string): string => `M 100644 inline ${path}\ndata ${content.length}\n${content}\n`;

/** Returns text that compresses about as source does, and is not met twice. */
function words(seed: number): string {
  let state = (seed * 2654435761 + 1) >>> 0;
  const next = (): string => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state.toString(36);
  };
  return `${seed}\n${Array.from({ length: 12 }, next).join(" ")}\n`;
}

const placeOf = (place: number): string =>
  `directory-${place % DIRECTORIES}/file-${Math.floor(place / DIRECTORIES) % FILES}.txt`;

function* objectsStream(size: number): Generator<string> {
  const first = DIRECTORIES * FILES;
  yield commitHead(0);
  for (let place = 0; place < first; place++) yield file(placeOf(place), words(place));
  const commits = Math.max(2, Math.floor((size - first - DIRECTORIES) / OBJECTS_PER_COMMIT));
  for (let number = 1; number < commits; number++) {
    yield commitHead(number);
    for (let change = 0; change < CHANGES; change++) {
      const place = number * CHANGES + change;
      yield file(placeOf(place), words(first + place));
    }
  }
}

function* commitsStream(size: number): Generator<string> {
  for (let number = 0; number < size; number++) yield commitHead(number) + file("VERSION", `${number}\n`);
}

function* filesStream(size: number): Generator<string> {
  yield commitHead(0);
  for (let at = 0; at < size; at++)
    yield file(`directory-${Math.floor(at / FILES_PER_DIRECTORY)}/file-${at % FILES_PER_DIRECTORY}.txt`, words(at));
}

function* pushesStream(size: number): Generator<string> {
  const page = (version: number): string =>
    Array.from({ length: 120 }, (_, at) => `line ${at}: ${at % 17 === version % 17 ? version : "as ever"}\n`).join("");
  for (let number = 0; number < size; number++)
    yield commitHead(number) + file(`src/file-${number % 5}.txt`, page(number)) + file("VERSION", `${number}\n`);
}

const STREAMS: Readonly<Record<ScaleKind, (size: number) => Generator<string>>> = {
  objects: objectsStream,
  commits: commitsStream,
  refs: (size) => commitsStream(Math.max(2, Math.ceil(size / REFS_PER_COMMIT))),
  files: filesStream,
  pushes: pushesStream,
};

async function importStream(git: GitSandbox, directory: string, stream: Generator<string>): Promise<void> {
  const child = spawn("git", ["fast-import", "--quiet"], {
    cwd: directory,
    env: git.environment(),
    stdio: ["pipe", "ignore", "inherit"],
  });
  const ended = once(child, "close");
  let pieces: string[] = [];
  for (const piece of stream) {
    pieces.push(piece);
    if (pieces.length < 512) continue;
    if (!child.stdin.write(pieces.join(""))) await once(child.stdin, "drain");
    pieces = [];
  }
  child.stdin.end(pieces.join(""));
  const [code]: unknown[] = await ended;
  if (code !== 0) throw new Error(`git fast-import ended with ${String(code)}`);
}

/** Makes a repository. */
export async function makeScaled(git: GitSandbox, kind: ScaleKind, size: number): Promise<ScaleSubject> {
  const directory = await git.init(`${kind}-${size}`, "--bare");
  await importStream(git, directory, STREAMS[kind](size));
  const commits = (await git.ok(["rev-list", "--reverse", BRANCH], { cwd: directory })).split("\n");
  const tip = commits.at(-1);
  if (tip === undefined) throw new Error("nothing was imported");
  const half = commits[Math.floor(commits.length / 2)];
  const isInParts = kind === "objects" && size > MOST_PUSHED;
  const revisions = kind === "pushes" ? commits : isInParts && half !== undefined ? [half, tip] : [tip];
  if (kind !== "refs") return { kind, size, directory, revisions, refs: [] };
  const refs = Array.from({ length: size }, (_, at) => ({
    name: `refs/many/${String(at % 100).padStart(2, "0")}/ref-${at}`,
    oid: commits[at % commits.length] ?? tip,
  }));
  writePackedRefs(directory, [...refs, { name: BRANCH, oid: tip }]);
  return { kind, size, directory, revisions, refs };
}

/** Writes refs at once, which git does one after the other. @see gitrepository-layout(5) */
export function writePackedRefs(directory: string, refs: ScaleSubject["refs"]): void {
  const lines = refs
    .map(({ name, oid }) => `${oid} ${name}\n`)
    .toSorted((a, b) => (a.slice(41) < b.slice(41) ? -1 : 1));
  writeFileSync(join(directory, "packed-refs"), `# pack-refs with: sorted \n${lines.join("")}`);
}
