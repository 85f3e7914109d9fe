/**
 * Writes the head of a bundle for a pack of the newest history: the refs whose values it has, and the commits on which it builds.
 *
 * The pack has to have everything that those refs reach and those commits do not. That is found out as for a fetch of a client that
 * has the commits: what such a client would be sent is compared with the pack.
 *
 * @packageDocumentation
 * @see gitformat-bundle(5), git-bundle(1)
 */
import { i32At, itemAt } from "../bytes/assert.ts";
import { concat } from "../bytes/chunk.ts";
import { toHex } from "../bytes/hex.ts";
import { BUNDLES } from "../catalog/bundle-plan.ts";
import type { PackBitmapSize, PackRecord } from "../catalog/pack-record.ts";
import { formatTips, type PackTips } from "../format/bundle.ts";
import type { GraphSession } from "../graph/graph-session.ts";
import { objectFormat } from "../object/object-id.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import { offeredBundles } from "../packing/offered-bundles.ts";
import { ReachableObjects } from "../packing/reachable-objects.ts";
import { decodeRefRows, type RefRow } from "../refs/ref-rows.ts";
import type { OpenSnapshot, RepositoryRecord } from "../refs/ref-store.ts";
import { openObjects } from "../repository/open-objects.ts";
import { inOwnSession } from "../repository/own-session.ts";
import type { Repository } from "../repository/repository.ts";
import type { ObjectDatabase } from "../store/object-database.ts";

/** The pack that is looked at. */
export type TipsInput = {
  readonly repository: Repository;
  readonly record: RepositoryRecord;
  readonly pack: PackRecord;
};

/** The pack can't be offered. */
const NONE: PackBitmapSize = { bytes: 0, commits: 0 };
/** The steps charged to the pacer for a commit that is gone through. */
const COMMIT_STEPS = 200;
/** The commits of newer packs that are gone through to find where HEAD's branch comes into a pack. */
const MOST_WALKED = 10_000;

/** A ref that a head may name, and the node of its value. */
type Tip = { readonly name: string; readonly node: number };

/** Returns those of some items whose objects a database has, and the others. */
async function parted<T>(
  database: ObjectDatabase,
  items: readonly T[],
  nameOf: (item: T) => Uint8Array,
): Promise<{ readonly inside: T[]; readonly outside: T[] }> {
  const { packs } = await database.locate(concat(items.map((item) => nameOf(item))));
  const [inside, outside]: [T[], T[]] = [[], []];
  for (const [i, item] of items.entries()) (i32At(packs, i) < 0 ? outside : inside).push(item);
  return { inside, outside };
}

/** Looks at one pack among those of a snapshot. */
class NewestPack {
  readonly #repository: Repository;
  readonly #session: GraphSession;
  /** The pack alone. */
  readonly #own: ObjectDatabase;
  /** The packs that are offered already. */
  readonly #below: ObjectDatabase;

  constructor(repository: Repository, session: GraphSession, own: ObjectDatabase, below: ObjectDatabase) {
    this.#repository = repository;
    this.#session = session;
    this.#own = own;
    this.#below = below;
  }

  async #parted(
    database: ObjectDatabase,
    nodes: readonly number[],
  ): Promise<{ readonly inside: number[]; readonly outside: number[] }> {
    return await parted(database, nodes, (node) => this.#session.nameOf(node));
  }

  /** Returns the refs whose values the pack has: HEAD's branch, other branches, tags. */
  async tips(rows: readonly RefRow[], head: string): Promise<Tip[]> {
    const { inside } = await parted(this.#own, rows, ({ oid }) => oid);
    const inOrder = inside.toSorted((a, b) => rank(a, head) - rank(b, head)).slice(0, BUNDLES.mostTips);
    return inOrder.map(({ name, oid }) => ({ name, node: this.#session.node(oid) }));
  }

  /**
   * Returns the commits of the pack at which the history of a commit in a newer pack comes into it, youngest first. Newer bundles
   * build on these. There are none if that takes too long.
   */
  async entries(newer: number): Promise<number[]> {
    const session = this.#session;
    const entries: number[] = [];
    const seen = new Set([newer]);
    let next = [newer];
    for (let walked = 0; next.length > 0;) {
      const found = await this.#parted(this.#own, next);
      entries.push(...found.inside);
      const { outside } = await this.#parted(this.#below, found.outside);
      walked += outside.length;
      if (walked > MOST_WALKED) return [];
      next = await this.#parentsOf(outside, seen);
    }
    await session.loadCommits(entries);
    return entries.toSorted((a, b) => session.commits.timeOf(b) - session.commits.timeOf(a));
  }

  /** Returns the commits outside of the pack at which the history of its own ends; `undefined` if there are too many. */
  async prerequisites(tips: readonly number[]): Promise<number[] | undefined> {
    const session = this.#session;
    await session.learnTypes(tips);
    const commits = new Set<number>();
    for (const tip of tips) {
      const object = await session.peel(tip);
      if ((await session.typeOf(object)) === TYPE_NUMBER.commit) commits.add(object);
    }
    const outside = new Set<number>();
    let next = [...commits];
    while (next.length > 0) {
      const found = await this.#parted(this.#own, next);
      for (const node of found.outside) outside.add(node);
      if (outside.size > BUNDLES.mostPrerequisites) return undefined;
      next = await this.#parentsOf(found.inside, commits);
    }
    return [...outside];
  }

  /** Returns the parents of commits that were not seen yet. */
  async #parentsOf(nodes: readonly number[], seen: Set<number>): Promise<number[]> {
    const session = this.#session;
    await session.loadCommits(nodes);
    const parents: number[] = [];
    await this.#repository.pacer.forEach(nodes.length, COMMIT_STEPS, (i) => {
      for (const parent of session.commits.parentsOf(itemAt(nodes, i))) {
        if (!seen.has(parent)) parents.push(parent);
        seen.add(parent);
      }
    });
    return parents;
  }

  /** Returns the numbers of the packs below that have the prerequisites; `undefined` if some are in none. */
  async needs(prerequisites: readonly number[]): Promise<readonly number[] | undefined> {
    const { packs } = await this.#below.locate(this.#session.namesOf(prerequisites));
    return packs.includes(-1) ? undefined : [...new Set(packs)];
  }

  /** Whether the pack has everything that the tips reach beyond the prerequisites. */
  async isEnough(tips: readonly number[], prerequisites: readonly number[]): Promise<boolean> {
    const reached = new ReachableObjects(this.#session);
    await reached.add(this.#session.namesOf(tips), prerequisites);
    const { outside } = await parted(this.#own, reached.names(), (name) => name);
    return outside.length === 0;
  }
}

/** The order in which a head takes refs. The sort leaves refs of the same rank as they are. */
function rank({ name }: RefRow, head: string): number {
  if (name === head) return 0;
  return name.startsWith("refs/tags/") ? 2 : 1;
}

/** Returns what the head of a pack's bundle says; `undefined` if it can have none. */
async function findTips(
  { repository, record, pack }: TipsInput,
  snapshot: OpenSnapshot,
): Promise<PackTips | undefined> {
  const offered = (await offeredBundles(repository, snapshot)).map((each) => each.pack);
  const rows = [...decodeRefRows(snapshot.refs, objectFormat(record.objectFormat).rawSize)];
  const database = openObjects(repository, record, snapshot.packs, snapshot.graphs);
  return await inOwnSession(repository, database, async (session) => {
    const [own, below] = [openObjects(repository, record, [pack]), openObjects(repository, record, offered)];
    const newest = new NewestPack(repository, session, own, below);
    const tips = await newest.tips(rows, record.head);
    const main = tips[0]?.name === record.head ? undefined : rows.find(({ name }) => name === record.head);
    // A branch that has gone on is named with the value that it had when the pack was the newest.
    const entries = main === undefined ? [] : await newest.entries(session.node(main.oid));
    const [entry] = entries;
    const named = entry === undefined ? tips : [{ name: record.head, node: entry }, ...tips].slice(0, BUNDLES.mostTips);
    const all = [...new Set([...named.map(({ node }) => node), ...entries])];
    const prerequisites = await newest.prerequisites(all);
    if (all.length === 0 || prerequisites === undefined) return undefined;
    const needs = await newest.needs(prerequisites);
    if (needs === undefined || !(await newest.isEnough(all, prerequisites))) return undefined;
    return {
      needs: needs.map((number) => itemAt(offered, number).name),
      prerequisites: prerequisites.map((node) => toHex(session.nameOf(node))),
      tips: named.map(({ name, node }) => ({ name, oid: toHex(session.nameOf(node)) })),
    };
  });
}

/**
 * Writes the tips of a pack's bundle. Returns what the catalog has to know of the file: that there is none, where the pack lacks
 * something, or builds on what is in no other bundle.
 *
 * @throws CorruptStore
 */
export async function writeTips(input: TipsInput): Promise<PackBitmapSize> {
  const { repository, record, pack } = input;
  const snapshot = await repository.refs.open({ packs: true, refPrefixes: ["refs/heads/", "refs/tags/"] });
  if (snapshot.kind === "missing" || snapshot.record.id !== record.id) return NONE;
  const found = await findTips(input, snapshot);
  if (found === undefined) return NONE;
  const bytes = formatTips(found);
  await repository.storage(record.id).write({ pack: pack.name, extension: "tips" }, bytes);
  return { ...NONE, tips: bytes.length };
}
