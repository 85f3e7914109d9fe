/**
 * Reads the commits that a push brought, for those who are told of it.
 *
 * @packageDocumentation
 */
import { i32At, present } from "../bytes/assert.ts";
import { fromHex, toHex } from "../bytes/hex.ts";
import { bytesOf } from "../object/byte-text.ts";
import type { Commit } from "../object/commit.ts";
import { dateText, type Identity } from "../object/identity.ts";
import type { Repository } from "../repository/repository.ts";
import { BrowseSession } from "./browse-session.ts";
import { readCommit } from "./commit.ts";
import { CommitLog } from "./commit-log.ts";
import { compareCommits } from "./compare.ts";
import { parseRevision } from "./revision-syntax.ts";
import { resolveCommit } from "./revision.ts";
import { diffTrees } from "./tree-diff.ts";

/** Commits that are told of one push. */
export const MOST_TOLD_COMMITS = 20;
/** Files that are told of one commit. */
export const MOST_TOLD_FILES = 300;
/** Characters of a message that are told. */
const MOST_MESSAGE = 8192;

/** The move of a ref. Names are hexadecimal; zeros stand for "no object". */
export type PushedMove = { readonly id: string; readonly oldOid: string; readonly newOid: string };

/** A person in a commit. */
type Person = { readonly name: string; readonly email: string };

/** A commit, and the files that it changed beside its first parent. */
export type ToldCommit = {
  readonly id: string;
  readonly tree: string;
  readonly message: string;
  readonly timestamp?: string;
  readonly author: Person;
  readonly committer: Person;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly modified: readonly string[];
};

/** What a push brought: its newest commits, the oldest first, and the commit that its ref leads to. */
export type ToldPush = {
  readonly commits: readonly ToldCommit[];
  readonly head?: ToldCommit;
  readonly forced: boolean;
};

const NONE = /^0+$/;
const lenient = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

/**
 * Returns what a push of repository `id` brought; `undefined` if that is not here any more, or nothing of it can be
 * reached from a ref.
 *
 * @throws LimitExceeded if it takes too much to find out.
 */
export async function pushedCommits(
  repository: Repository,
  { id, oldOid, newOid }: PushedMove,
): Promise<ToldPush | undefined> {
  if (NONE.test(newOid)) return { commits: [], forced: false };
  const answer = await repository.refs.open({ packs: true });
  if (answer.kind === "missing" || answer.record.id !== id) return undefined;
  const session = await BrowseSession.open(repository, answer);
  try {
    const to = await commitNamed(session, newOid);
    if (to === undefined) return undefined;
    const from = NONE.test(oldOid) ? undefined : await commitOf(session, oldOid);
    const { names, forced } =
      from === undefined ? { names: await newestOf(session, to), forced: false } : await between(session, from, to);
    const commits: ToldCommit[] = [];
    for (const name of names.toReversed()) commits.push(await told(session, name));
    const last = commits.at(-1);
    const head = last?.id === toHex(to) ? last : await told(session, to);
    return { commits, head, forced };
  } finally {
    session.close();
  }
}

function rawOf(oid: string): Uint8Array {
  return present(fromHex(oid), "the name of an object");
}

/** Returns the raw name of the commit that a name leads to, if a ref reaches it. */
async function commitNamed(session: BrowseSession, oid: string): Promise<Uint8Array | undefined> {
  const revision = parseRevision(oid);
  const found = revision === undefined ? undefined : await resolveCommit(session, revision);
  return found?.kind === "found" ? found.name : undefined;
}

/** Returns the raw name of a commit that a ref had, whether a ref still reaches it or not. */
async function commitOf(session: BrowseSession, oid: string): Promise<Uint8Array | undefined> {
  const named = await commitNamed(session, oid);
  if (named !== undefined) return named;
  const raw = rawOf(oid);
  const { packs } = await session.graph.database.locate(raw);
  return i32At(packs, 0) >= 0 ? raw : undefined;
}

/** Returns the newest commits of a new ref. Those that other branches have, too, are among them. */
async function newestOf(session: BrowseSession, to: Uint8Array): Promise<Uint8Array[]> {
  const log = await CommitLog.start(session, to, "");
  const names: Uint8Array[] = [];
  while (names.length < MOST_TOLD_COMMITS) {
    const node = await log.next();
    if (node === undefined) break;
    names.push(session.graph.nameOf(node));
  }
  return names;
}

async function between(
  session: BrowseSession,
  from: Uint8Array,
  to: Uint8Array,
): Promise<{ readonly names: readonly Uint8Array[]; readonly forced: boolean }> {
  const compared = await compareCommits(session, { from, to }, { first: 0, count: MOST_TOLD_COMMITS });
  return { names: compared.commits, forced: compared.behind > 0 };
}

function personOf(identity: Identity | undefined): Person {
  return { name: identity?.name ?? "unknown", email: identity?.email ?? "unknown" };
}

async function told(session: BrowseSession, name: Uint8Array): Promise<ToldCommit> {
  const commit = await readCommit(session, name);
  const timestamp = commit.author === undefined ? null : dateText(commit.author);
  return {
    id: toHex(name),
    tree: commit.tree,
    message: commit.message.slice(0, MOST_MESSAGE).toWellFormed(),
    ...(timestamp === null ? {} : { timestamp }),
    author: personOf(commit.author),
    committer: personOf(commit.committer),
    ...(await filesOf(session, commit)),
  };
}

async function filesOf(
  session: BrowseSession,
  { tree, parents }: Commit,
): Promise<Pick<ToldCommit, "added" | "removed" | "modified">> {
  const [parent] = parents;
  const before = parent === undefined ? undefined : rawOf((await readCommit(session, rawOf(parent))).tree);
  const files = { A: [] as string[], D: [] as string[], M: [] as string[], T: [] as string[] };
  let count = 0;
  for await (const { status, path } of diffTrees(session, before, rawOf(tree))) {
    if (count++ === MOST_TOLD_FILES || session.pageIsFull) break;
    files[status].push(lenient.decode(bytesOf(path)));
  }
  return { added: files.A, removed: files.D, modified: [...files.M, ...files.T] };
}
