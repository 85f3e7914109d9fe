/**
 * Resolves a revision to the object that it names.
 *
 * @packageDocumentation
 * @see gitrevisions(7), git-rev-parse(1)
 */
import { toHex, fromHex } from "../bytes/hex.ts";
import { TYPE_NUMBER, type ObjectType, typeOfNumber } from "../object/object-type.ts";
import { expandRefName } from "../object/ref-name.ts";
import type { BrowseSession, Unanswered } from "./browse-session.ts";
import { type RevisionSplit, type RevisionStep, type RevisionSyntax } from "./revision-syntax.ts";
import { findPath } from "./tree-at.ts";

/** An object that a revision names. */
export type NamedObject = {
  readonly kind: "found";
  /** A raw name. */
  readonly name: Uint8Array;
  readonly type: ObjectType;
  /**
   * The raw name of the commit on the way to the object: the object itself, or the one that a tag or `rev:path` went
   * through.
   */
  readonly commit?: Uint8Array;
};

/** The fewest digits of an abbreviated name. */
const SHORTEST = 4;
/** For more generations than this it is worth reading the indexes ahead. */
const FEW_GENERATIONS = 3;
/** The most generations of a step back. */
const MOST_GENERATIONS = 200_000;
/** The most objects with the same abbreviated name, visible to the caller, among which one commit is searched. */
const MOST_ALIKE = 16;
/** The most objects with the same abbreviated name, in one pack, whose visibility to the caller is checked. */
const MOST_CANDIDATES = 65_536;

/** Returns the full names of all refs that these revisions may mean. The snapshot must be opened with them. */
export function refNamesIn(revisions: readonly RevisionSyntax[]): string[] {
  return [...new Set(revisions.flatMap(({ base }) => expandRefName(base)))];
}

/** Resolves the longest possible revision among several ways to split `{revision}/{path}`. */
export async function resolveSplit(
  session: BrowseSession,
  splits: readonly RevisionSplit[],
): Promise<(NamedObject & { readonly path: string }) | Unanswered> {
  for (const { revision, path } of splits) {
    const base = await resolveBase(session, revision);
    if (base === undefined) continue;
    if ("detail" in base) return base;
    const object = await follow(session, base.name, revision);
    return object.kind === "found" ? { ...object, path } : object;
  }
  return noSuchRevision(splits.at(-1)?.revision);
}

/** Resolves a revision. */
export async function resolveRevision(
  session: BrowseSession,
  revision: RevisionSyntax,
): Promise<NamedObject | Unanswered> {
  const base = await resolveBase(session, revision);
  if (base === undefined) return noSuchRevision(revision);
  return "detail" in base ? base : await follow(session, base.name, revision);
}

/** Resolves a revision to a commit, as `^{commit}` does. */
export async function resolveCommit(
  session: BrowseSession,
  revision: RevisionSyntax,
): Promise<NamedObject | Unanswered> {
  const object = await resolveRevision(session, revision);
  if (object.kind !== "found") return object;
  return await peelTo(session, object, "commit", revision.base);
}

/** Resolves a tree, a commit or a tag of either to a tree. The commit is kept. */
export async function peelToTree(session: BrowseSession, object: NamedObject): Promise<NamedObject | Unanswered> {
  return await peelTo(session, object, "tree", toHex(object.name));
}

/** Peels an object to a commit, as `^{commit}` does. */
export async function peelToCommit(session: BrowseSession, object: NamedObject): Promise<NamedObject | Unanswered> {
  return await peelTo(session, object, "commit", toHex(object.name));
}

function noSuchRevision(revision: RevisionSyntax | undefined): Unanswered {
  if (revision === undefined)
    return { kind: "wrong", detail: "This is no revision that is understood here: a name, then ^, ^N, ~N or ^{type}." };
  const unborn = revision.base === "HEAD" || revision.base === "@" ? ": HEAD points to a branch without commits" : "";
  return { kind: "missing", detail: `There is no revision "${revision.base}"${unborn}.` };
}

async function resolveBase(
  session: BrowseSession,
  { base }: RevisionSyntax,
): Promise<{ readonly name: Uint8Array } | Unanswered | undefined> {
  const digits = /^[0-9a-fA-F]+$/.test(base) ? base.toLowerCase() : "";
  if (digits.length === session.format.hexSize) {
    const name = fromHex(digits);
    return name !== undefined && (await session.isShown(name)) ? { name } : undefined;
  }
  const name =
    base === "HEAD" || base === "@"
      ? session.head
      : expandRefName(base)
          .map((ref) => session.refNamed(ref))
          .find((oid) => oid !== undefined);
  if (name !== undefined) return { name };
  if (digits.length < SHORTEST || digits.length > session.format.hexSize) return undefined;
  return await resolveAbbreviated(session, digits);
}

/**
 * Resolves an abbreviated name. If several objects have it, the one commit (or tag of one) among them is meant, as in
 * git where a commit is needed. Unreachable objects don't count: "ambiguous" would reveal that a deleted object is
 * still stored.
 */
async function resolveAbbreviated(
  session: BrowseSession,
  digits: string,
): Promise<{ readonly name: Uint8Array } | Unanswered | undefined> {
  const { packs } = session.graph.database;
  const most = session.allReachable ? MOST_ALIKE + 1 : MOST_CANDIDATES;
  const lists = await Promise.all(packs.map((pack) => pack.namesBeginningWith(digits, most)));
  const names = new Map(lists.flat().map((name) => [toHex(name), name]));
  const shown = await session.shownOf([...names.values()]);
  if (shown.length > MOST_ALIKE) return ambiguous(digits);
  const [only] = shown;
  if (only === undefined) return undefined;
  if (shown.length === 1) return { name: only };
  const commits: Uint8Array[] = [];
  for (const name of shown) {
    const type = await session.graph.typeOf(await session.graph.peel(session.graph.node(name)));
    if (type === TYPE_NUMBER.commit) commits.push(name);
  }
  const [name] = commits;
  return name === undefined || commits.length > 1 ? ambiguous(digits) : { name };
}

function ambiguous(digits: string): Unanswered {
  return { kind: "ambiguous", detail: `Several objects have names that begin with ${digits}: give more digits.` };
}

/** Takes the steps after the name, and then those of the path. */
async function follow(
  session: BrowseSession,
  start: Uint8Array,
  { base, steps, path }: RevisionSyntax,
): Promise<NamedObject | Unanswered> {
  let object = await objectNamed(session, start);
  for (const step of steps) {
    const next = await takeStep(session, object, step, base);
    if (next.kind !== "found") return next;
    object = next;
  }
  if (path === undefined) return object;
  const tree = await peelToTree(session, object);
  if (tree.kind !== "found") return tree;
  const found = await findPath(session, tree.name, path);
  if (found.kind !== "found") return found;
  if (found.type === "commit") return { kind: "wrong", detail: `"${path}" is a submodule: its commits are elsewhere.` };
  return { kind: "found", name: found.oid, type: found.type, ...(tree.commit && { commit: tree.commit }) };
}

async function objectNamed(session: BrowseSession, name: Uint8Array): Promise<NamedObject> {
  const number = await session.graph.typeOf(session.graph.node(name));
  const type = typeOfNumber(number) ?? "blob";
  return { kind: "found", name, type, ...(type === "commit" && { commit: name }) };
}

async function takeStep(
  session: BrowseSession,
  object: NamedObject,
  step: RevisionStep,
  base: string,
): Promise<NamedObject | Unanswered> {
  switch (step.kind) {
    case "peel":
      if (step.to === "object") return object;
      return await peelTo(session, object, step.to, base);
    case "parent":
      return await ancestor(session, object, { base, generations: step.number === 0 ? 0 : 1, parent: step.number });
    case "ancestor":
      return await ancestor(session, object, { base, generations: step.generations, parent: 1 });
  }
}

async function peelTo(
  session: BrowseSession,
  object: NamedObject,
  to: ObjectType | "any",
  base: string,
): Promise<NamedObject | Unanswered> {
  if (object.type === to) return object;
  const { graph } = session;
  const peeled = await objectNamed(session, graph.nameOf(await graph.peel(graph.node(object.name))));
  const commit = peeled.commit ?? object.commit;
  if (to === "any" || peeled.type === to) return { ...peeled, ...(commit && { commit }) };
  if (to === "tree" && peeled.type === "commit") {
    const node = graph.node(peeled.name);
    await graph.loadCommit(node);
    return { kind: "found", name: graph.nameOf(graph.commits.treeOf(node)), type: "tree", commit: peeled.name };
  }
  return { kind: "wrong", detail: `"${base}" is a ${peeled.type}, where a ${to} is needed.` };
}

/**
 * Returns the ancestor this many generations back, through first parents. For one generation it may be another parent.
 */
async function ancestor(
  session: BrowseSession,
  object: NamedObject,
  wanted: { readonly base: string; readonly generations: number; readonly parent: number },
): Promise<NamedObject | Unanswered> {
  const start = await peelTo(session, object, "commit", wanted.base);
  if (start.kind !== "found") return start;
  const { graph } = session;
  if (wanted.generations > MOST_GENERATIONS)
    return { kind: "wrong", detail: `No more than ${MOST_GENERATIONS} generations can be asked for.` };
  if (wanted.generations > FEW_GENERATIONS) await session.expectMany();
  let node = graph.node(start.name);
  for (let left = wanted.generations; left > 0; left--) {
    await graph.loadCommit(node);
    const parent = graph.commits.parentsOf(node)[wanted.parent - 1];
    if (parent === undefined)
      return { kind: "missing", detail: `"${wanted.base}" has no such ancestor: its history is shorter.` };
    node = parent;
  }
  const name = graph.nameOf(node);
  return { kind: "found", name, type: "commit", commit: name };
}
