/**
 * The doors of a game by which something may be read, and what comes out of each to somebody who may read the repository.
 *
 * @packageDocumentation
 */
import { expect } from "vitest";
import { packedIn, type Answered, type Asked } from "./asked.ts";
import { parsePkts, pktLines } from "../git-raw.ts";
import { LFS_TYPE } from "../lfs-client.ts";
import { MORE_DOORS } from "./more-doors.ts";
import { PRESIGNED_DOORS } from "./presigned.ts";
import { contentOf, fileOf, type PoolCommit } from "./object-pool.ts";
import type { ModelRepository, Person, World } from "./world.ts";

/** What a request names: of this repository, of another one, or of the past. */
export type Subject = {
  readonly branch: string;
  readonly commit: PoolCommit;
  readonly lfs: { readonly oid: string; readonly size: number };
  /** A moment of the last minutes, in seconds since the epoch. */
  readonly seconds: number;
  /** The checksum of a pack, as addresses have it. */
  readonly pack: string;
};

/** The place at which a door is asked. */
export type Place = {
  readonly world: World;
  readonly person: Person;
  readonly path: string;
  readonly repository: ModelRepository;
  readonly subject: Subject;
};

/** A door. */
export type Door = {
  readonly name: string;
  /** What a request names in its address or body, which an answer may repeat. */
  ask(subject: Subject): Asked;
  /** Compares the answer to somebody who may read with the model. What is not said is checked for every door: nothing else comes out. */
  expects?(answer: Answered, place: Place): void;
  /** Whether the door is only for those who administer: it may name what was there. */
  readonly isForOwners?: true;
  /** Whether values that refs had a moment ago may come out. */
  readonly givesRecent?: true;
  /** Whether values that refs had since the right to see them may come out. */
  readonly givesLog?: true;
  /** Whether what a mirror showed since the right to see it may come out. */
  readonly givesPast?: true;
  /** Whether the cookie that is sent counts for nothing here. */
  readonly takesNoCookie?: true;
};

const V2 = { "Git-Protocol": "version=2" };
const UPLOAD = { "Content-Type": "application/x-git-upload-pack-request" };
const LFS = { "Content-Type": LFS_TYPE };
const API = "/api/v1/repos/PATH";
const FACADE = "/api/v3/repos/PATH";
const JSON_TYPE = { "Content-Type": "application/json" };

const get = (path: string, headers: Record<string, string> = {}): Asked => ({ method: "GET", path, headers });

function refsOf({ refs }: ModelRepository): string[] {
  return [...refs].map(([name, oid]) => `${oid} ${name}`).toSorted();
}

/** The refs that lines of an advertisement or of `ls-refs` name, HEAD and peeled tags aside. */
function linesOf(body: Buffer): string[] {
  return parsePkts(body)
    .map((line) => /^([0-9a-f]{40}) (refs\/[^\0\s^]+)/.exec(line.toString("latin1")))
    .flatMap((found) => (found === null || found.input.includes("^{}") ? [] : [`${found[1]} ${found[2]}`]))
    .toSorted();
}

const givesRefs = ({ status, body }: Answered, { repository }: Place): void => {
  expect([status, linesOf(body)]).toEqual([200, refsOf(repository)]);
};

const json = ({ body }: Answered): unknown => JSON.parse(body.toString());

/** Checks that an object came with all that it reaches, or was refused, as the model has it. */
function givesWanted(answer: Answered, { world, repository, subject }: Place): void {
  const { oid } = subject.commit;
  const isWantable = world.isWantable(repository, oid);
  const names = packedIn(answer);
  if (isWantable === undefined) return;
  if (isWantable) expect(new Set(names)).toEqual(world.pool.reachedFrom([oid]));
  else expect(answer.body.toString("latin1")).toMatch(/ERR upload-pack: not our ref/);
}

const isReached = ({ world, repository, subject }: Place): boolean => world.reached(repository).has(subject.commit.oid);

/** Answers 200 to what refs reach, and 404 to all else. */
const givesReached = ({ status }: Answered, place: Place): void => {
  expect(status).toBe(isReached(place) ? 200 : 404);
};

const want = (oid: string): Asked => ({
  method: "POST",
  path: "/PATH.git/git-upload-pack",
  headers: UPLOAD,
  body: pktLines(`want ${oid} no-progress`, "0000", "done"),
});

const GIT_DOORS: readonly Door[] = [
  ...[{}, { "Git-Protocol": "version=1" }].map((headers, version): Door => ({
    name: `advertisement of version ${version}`,
    ask: () => get("/PATH.git/info/refs?service=git-upload-pack", headers),
    expects: givesRefs,
  })),
  { name: "advertisement of version 2", ask: () => get("/PATH.git/info/refs?service=git-upload-pack", V2) },
  { name: "advertisement to push", ask: () => get("/PATH.git/info/refs?service=git-receive-pack") },
  {
    name: "ls-refs",
    ask: () => ({
      method: "POST",
      path: "/PATH.git/git-upload-pack",
      headers: { ...V2, ...UPLOAD },
      body: pktLines("command=ls-refs", "0001", "peel", "symrefs", "0000"),
    }),
    expects: givesRefs,
  },
  { name: "want in version 0", ask: ({ commit }) => want(commit.oid), expects: givesWanted, givesRecent: true },
  { name: "want of a tree", ask: ({ commit }) => want(commit.tree), givesRecent: true },
  {
    name: "want in version 2",
    ask: ({ commit }) => ({
      method: "POST",
      path: "/PATH.git/git-upload-pack",
      headers: { ...V2, ...UPLOAD },
      body: pktLines("command=fetch", "0001", "no-progress", `want ${commit.oid}`, "done", "0000"),
    }),
    expects: givesWanted,
    givesRecent: true,
  },
  {
    name: "object-info",
    ask: ({ commit }) => ({
      method: "POST",
      path: "/PATH.git/git-upload-pack",
      headers: { ...V2, ...UPLOAD },
      body: pktLines("command=object-info", "0001", "size", `oid ${commit.oid}`, "0000"),
    }),
    expects: ({ body }, place) => {
      expect(new RegExp(`${place.subject.commit.oid} [1-9]`).test(body.toString("latin1"))).toBe(isReached(place));
    },
  },
  { name: "HEAD", ask: () => get("/PATH.git/HEAD") },
  {
    name: "info/refs of dumb HTTP",
    ask: () => get("/PATH.git/info/refs"),
    expects: ({ status, body }, { repository }) => {
      if (status === 403) return;
      const lines = body
        .toString()
        .split("\n")
        .filter((line) => line !== "");
      expect(lines.map((line) => line.replace("\t", " ")).toSorted()).toEqual(refsOf(repository));
    },
  },
  { name: "objects/info/packs", ask: () => get("/PATH.git/objects/info/packs") },
  { name: "bundles", ask: () => get("/PATH.git/bundles") },
];

const API_DOORS: readonly Door[] = [
  { name: "settings", ask: () => get(API) },
  {
    name: "refs",
    ask: () => get(`${API}/refs`),
    expects: (answer, { repository }) => {
      const { refs } = json(answer) as { refs: { name: string; oid: string }[] };
      expect(refs.map(({ name, oid }) => `${oid} ${name}`).toSorted()).toEqual(refsOf(repository));
    },
  },
  { name: "a commit", ask: ({ commit }) => get(`${API}/commits/${commit.oid}`), expects: givesReached },
  {
    name: "a commit's beginning",
    ask: ({ commit }) => get(`${API}/commits/${commit.oid.slice(0, 16)}`),
    expects: givesReached,
  },
  {
    name: "a commit as a mail",
    ask: ({ commit }) => get(`${API}/commits/${commit.oid}?format=patch`),
    expects: givesReached,
  },
  { name: "commits", ask: ({ commit }) => get(`${API}/commits?rev=${commit.oid}`), expects: givesReached },
  {
    name: "commits of a branch",
    ask: ({ branch }) => get(`${API}/commits?rev=refs/heads/${branch}`),
    expects: (answer, { world, repository, subject }) => {
      const tip = repository.refs.get(`refs/heads/${subject.branch}`);
      if (tip === undefined) return expect(answer.status).toBe(404);
      const { commits } = json(answer) as { commits: { oid: string }[] };
      const reached = [...world.pool.reachedFrom([tip])].filter((oid) => world.pool.commits.has(oid));
      expect(commits.map(({ oid }) => oid).toSorted()).toEqual(reached.toSorted());
    },
  },
  {
    name: "raw",
    ask: ({ commit }) => get(`${API}/raw/${commit.oid}/${fileOf(commit.word)}`),
    expects: (answer, place) => {
      givesReached(answer, place);
      if (answer.status === 200) expect(answer.body.toString()).toBe(contentOf(place.subject.commit.word));
    },
  },
  { name: "tree", ask: ({ commit }) => get(`${API}/tree/${commit.oid}`), expects: givesReached },
  { name: "tree by its name", ask: ({ commit }) => get(`${API}/tree/${commit.tree}`) },
  { name: "compare", ask: ({ branch, commit }) => get(`${API}/compare/refs/heads/${branch}...${commit.oid}`) },
  {
    name: "diff",
    ask: ({ branch, commit }) => get(`${API}/diff/refs/heads/${branch}..${commit.oid}`, { Accept: "text/x-diff" }),
  },
  { name: "archive", ask: ({ commit }) => get(`${API}/archive/${commit.oid}.tar.gz`), expects: givesReached },
  { name: "last changes", ask: ({ branch }) => get(`${API}/last-changes/refs/heads/${branch}`) },
  {
    name: "blame",
    ask: ({ commit }) => get(`${API}/blame/${commit.oid}/${fileOf(commit.word)}`),
    expects: givesReached,
  },
  { name: "search", ask: ({ branch }) => get(`${API}/search?q=this+file+has&rev=refs/heads/${branch}`) },
  { name: "files", ask: ({ branch }) => get(`${API}/files/refs/heads/${branch}`) },
  { name: "statuses", ask: ({ commit }) => get(`${API}/commits/${commit.oid}/statuses`), expects: givesReached },
  {
    name: "blobs",
    ask: ({ branch, commit }) => ({
      method: "POST",
      path: `${API}/blobs/read`,
      headers: JSON_TYPE,
      body: JSON.stringify({ rev: `refs/heads/${branch}`, paths: [fileOf(commit.word)] }),
    }),
  },
  { name: "reflog", ask: () => get(`${API}/reflog`), isForOwners: true },
  { name: "export", ask: () => get(`${API}/export`), isForOwners: true },
  { name: "usage", ask: () => get(`${API}/usage`), isForOwners: true },
  { name: "maintenance", ask: () => get(`${API}/maintenance`), isForOwners: true },
  { name: "events", ask: () => get(`${API}/events`) },
  { name: "hooks", ask: () => get(`${API}/hooks`), isForOwners: true },
  { name: "deploy keys", ask: () => get(`${API}/deploy-keys`), isForOwners: true },
  { name: "the mirror", ask: () => get(`${API}/mirror`), isForOwners: true },
];

/** Checks that an object of Git LFS is given where it is, and nowhere else. A mirror asks its upstream. */
function givesLfs(isGiven: boolean, { world, repository, subject }: Place): void {
  const has = world.hasLfs(repository, subject.lfs.oid);
  if (has === undefined && isGiven) repository.fetched.add(subject.lfs.oid);
  if (has !== undefined) expect(isGiven).toBe(has);
}

const LFS_DOORS: readonly Door[] = [
  {
    name: "batch",
    ask: ({ lfs }) => ({
      method: "POST",
      path: "/PATH.git/info/lfs/objects/batch",
      headers: { ...LFS, Accept: LFS_TYPE },
      body: JSON.stringify({ operation: "download", objects: [lfs] }),
    }),
    expects: (answer, place) => {
      const [object] = (json(answer) as { objects: { actions?: object; error?: object }[] }).objects;
      givesLfs(object?.actions !== undefined, place);
    },
  },
  {
    name: "LFS object",
    ask: ({ lfs }) => get(`/PATH.git/info/lfs/objects/${lfs.oid}`),
    expects: ({ status }, place) => {
      expect([200, 404]).toContain(status);
      givesLfs(status === 200, place);
    },
  },
  { name: "locks", ask: () => get("/PATH.git/info/lfs/locks") },
];

const PAGES: readonly Door[] = [
  { name: "front page", ask: () => get("/PATH") },
  { name: "page of a tree", ask: ({ branch }) => get(`/PATH/tree/${branch}`) },
  {
    name: "page of a file",
    ask: ({ commit }) => get(`/PATH/blob/${commit.oid}/${fileOf(commit.word)}`),
    expects: givesReached,
  },
  {
    name: "page of a raw file",
    ask: ({ commit }) => get(`/PATH/raw/${commit.oid}/${fileOf(commit.word)}`),
    expects: givesReached,
  },
  { name: "page of commits", ask: ({ branch }) => get(`/PATH/commits/${branch}`) },
  { name: "page of a commit", ask: ({ commit }) => get(`/PATH/commit/${commit.oid}`), expects: givesReached },
  {
    name: "page of a blame",
    ask: ({ commit }) => get(`/PATH/blame/${commit.oid}/${fileOf(commit.word)}`),
    expects: givesReached,
  },
  { name: "commit as a mail", ask: ({ commit }) => get(`/PATH/commit/${commit.oid}.patch`), expects: givesReached },
  { name: "page of a comparison", ask: ({ branch, commit }) => get(`/PATH/compare/${branch}...${commit.oid}`) },
  { name: "page of a search", ask: ({ branch }) => get(`/PATH/search?q=this+file&rev=${branch}`) },
  { name: "branches", ask: () => get("/PATH/branches") },
  { name: "tags", ask: () => get("/PATH/tags") },
  { name: "feed of commits", ask: () => get("/PATH/feed/commits") },
  { name: "feed of tags", ask: () => get("/PATH/feed/tags") },
  { name: "page of settings", ask: () => get("/PATH/settings"), isForOwners: true },
  { name: "page of the reflog", ask: () => get("/PATH/reflog"), isForOwners: true },
  { name: "directory for programs", ask: ({ branch }) => get(`/PATH/tree/${branch}`, { Accept: "text/markdown" }) },
];

const FACADE_DOORS: readonly Door[] = [
  { name: "facade", ask: () => get(FACADE) },
  { name: "branches of the facade", ask: () => get(`${FACADE}/branches`) },
  { name: "commits of the facade", ask: ({ commit }) => get(`${FACADE}/commits?sha=${commit.oid}`) },
  { name: "contents of the facade", ask: ({ branch }) => get(`${FACADE}/contents?ref=${branch}`) },
  { name: "refs of the facade", ask: () => get(`${FACADE}/git/refs`) },
  {
    name: "blob of the facade",
    ask: ({ commit }) => get(`${FACADE}/git/blobs/${commit.files.get(fileOf(commit.word)) ?? ""}`),
    expects: givesReached,
  },
  { name: "tree of the facade", ask: ({ commit }) => get(`${FACADE}/git/trees/${commit.tree}`) },
  {
    name: "commit of the facade",
    ask: ({ commit }) => get(`${FACADE}/git/commits/${commit.oid}`),
    expects: givesReached,
  },
];

/** All doors. */
export const READ_DOORS: readonly Door[] = [
  ...GIT_DOORS,
  ...API_DOORS,
  ...LFS_DOORS,
  ...PAGES,
  ...FACADE_DOORS,
  ...MORE_DOORS,
  ...PRESIGNED_DOORS,
];
