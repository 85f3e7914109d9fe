/**
 * Decides where history is cut for a client: at a depth, at a time, or where other refs' history begins.
 *
 * @packageDocumentation
 * @see git-fetch(1), `--depth`; gitprotocol-pack(5); `send_shallow_list()` in git's upload-pack.c, shallow.c
 */
import { QUEUED, UNINTERESTING } from "../kernel/object-flags.ts";
import { ProtocolError } from "../bytes/failure.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import { walkCommits } from "./commit-walk.ts";
import type { GraphSession } from "./graph-session.ts";
import { learnNamed } from "./named-objects.ts";

/** The client's request to cut history. Nodes are of commits that are here. */
export type ShallowRequest = {
  /** The commits at which the client's own history is cut. */
  readonly clientShallow: readonly number[];
  readonly cut:
    | { readonly kind: "none" }
    /** No cut any more: what lies behind these of the client's cuts is sent. */
    | { readonly kind: "unshallow"; readonly reachable: readonly number[] }
    /** Cuts this many commits from each want or, if relative, this many beyond the present cuts. */
    | { readonly kind: "depth"; readonly depth: number; readonly relative: boolean }
    /** Cuts off commits older than `since` (seconds since 1970), and commits that the nodes of `not` reach. */
    | { readonly kind: "history"; readonly since: number; readonly not: readonly number[] };
};

/** The cuts of a fetch, as nodes. */
export type ShallowPlan = {
  /** Commits that are cut from now on. */
  readonly shallow: readonly number[];
  /** Commits that were cut and no longer are. */
  readonly unshallow: readonly number[];
  /** All commits that the walks must treat as the first of their history. */
  readonly cuts: readonly number[];
  /** Parents of {@link ShallowPlan.unshallow}, which are wanted, too. */
  readonly wants: readonly number[];
};

type Reach = { readonly border: ReadonlySet<number>; readonly isWithin: (node: number) => boolean };

/** Plans the cuts of a fetch of `wants`. @throws ProtocolError in git's words if nothing would be left. */
export async function planShallow(
  session: GraphSession,
  wants: readonly number[],
  request: ShallowRequest,
): Promise<ShallowPlan> {
  const { clientShallow } = request;
  const { border, isWithin } = await reachOf(session, wants, request);
  const cutAlready = new Set(clientShallow);
  const unshallow = clientShallow.filter(isWithin);
  const parents = new Set<number>();
  await session.loadCommits(unshallow);
  for (const node of unshallow) {
    for (const parent of session.commits.parentsOf(node)) parents.add(parent);
  }
  return {
    shallow: [...border].filter((node) => !cutAlready.has(node)),
    unshallow,
    cuts: [...new Set([...border, ...clientShallow])],
    wants: [...parents],
  };
}

async function reachOf(session: GraphSession, wants: readonly number[], request: ShallowRequest): Promise<Reach> {
  const { clientShallow, cut } = request;
  const nothing: Reach = { border: new Set(), isWithin: () => false };
  switch (cut.kind) {
    case "none":
      return nothing;
    case "unshallow": {
      const within = new Set(cut.reachable);
      return { border: new Set(), isWithin: (node) => within.has(node) };
    }
    case "depth": {
      const heads = await commitsOf(session, wants);
      if (!cut.relative) return await reachToDepth(session, heads, cut.depth);
      const now = await depthNow(session, heads, new Set(clientShallow));
      // As in git: a client whose cuts are not found gets none.
      return now === undefined ? nothing : await reachToDepth(session, heads, now + cut.depth);
    }
    case "history":
      return await reachByHistory(session, await commitsOf(session, wants), cut);
  }
}

async function commitsOf(session: GraphSession, wants: readonly number[]): Promise<number[]> {
  const commits = new Set<number>();
  await learnNamed(session, wants);
  for (const want of wants) {
    const object = await session.peel(want);
    if ((await session.typeOf(object)) === TYPE_NUMBER.commit) commits.add(object);
  }
  return [...commits];
}

/** Yields the commits at each distance from the heads, nearest first. Each commit comes once, at its least distance. */
async function* levelsFrom(session: GraphSession, heads: readonly number[]): AsyncGenerator<readonly number[]> {
  const seen = new Set(heads);
  let level: readonly number[] = heads;
  while (level.length > 0) {
    yield level;
    if (level.length > 1) await session.prefetch(level);
    const loading = session.loadCommits(level);
    if (loading !== undefined) await loading;
    const next: number[] = [];
    for (const node of level) {
      for (const parent of session.commits.parentsOf(node)) {
        if (seen.has(parent)) continue;
        seen.add(parent);
        next.push(parent);
      }
    }
    level = next;
  }
}

/** Follows `get_shallow_commits()`: the commit at the depth is cut, even if it has no parents. */
async function reachToDepth(session: GraphSession, heads: readonly number[], depth: number): Promise<Reach> {
  const within = new Set<number>();
  let distance = 0;
  for await (const level of levelsFrom(session, heads)) {
    if (++distance >= depth) return { border: new Set(level), isWithin: (node) => within.has(node) };
    for (const node of level) within.add(node);
  }
  return { border: new Set(), isWithin: (node) => within.has(node) };
}

/**
 * Returns the least number of commits from a head to one of the client's cuts; `undefined` if none of them is reached.
 */
async function depthNow(
  session: GraphSession,
  heads: readonly number[],
  clientShallow: ReadonlySet<number>,
): Promise<number | undefined> {
  let distance = 0;
  for await (const level of levelsFrom(session, heads)) {
    distance++;
    if (level.some((node) => clientShallow.has(node))) return distance;
  }
  return undefined;
}

/** Follows `get_shallow_commits_by_rev_list()`: a commit is cut if some parent is left out. */
async function reachByHistory(
  session: GraphSession,
  heads: readonly number[],
  { since, not }: { readonly since: number; readonly not: readonly number[] },
): Promise<Reach> {
  const { interesting } = await walkCommits(session, heads, await commitsOf(session, not), { since });
  if (interesting.length === 0) throw new ProtocolError("no commits selected for shallow requests");
  const within = new Set(interesting);
  const border = new Set(
    interesting.filter((node) => session.commits.parentsOf(node).some((parent) => !within.has(parent))),
  );
  // The walk that selects objects begins anew.
  for (let node = 0; node < session.kernel.oidCount; node++) session.unmark(node, QUEUED | UNINTERESTING);
  return { border, isWithin: (node) => within.has(node) && !border.has(node) };
}
