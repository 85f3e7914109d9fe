/**
 * Writes the head of a bundle for a pack of the newest history: the refs whose values it has, and the commits on which it builds.
 *
 * The pack has to have everything that those refs reach and those commits do not. That is found out as for a fetch of a client that
 * has the commits: what such a client would be sent is compared with the pack.
 *
 * One of the commits is always a tip of the bundle before it. A pack may build on nothing, as a new branch without a parent, or on
 * the base alone. git's client would end with such a bundle, and never take those below it.
 *
 * @packageDocumentation
 * @see gitformat-bundle(5), git-bundle(1)
 */
import { i32At, itemAt } from "../bytes/assert.ts";
import { concat } from "../bytes/chunk.ts";
import { LimitExceeded } from "../bytes/failure.ts";
import { fromHex, toHex } from "../bytes/hex.ts";
import { BUNDLES } from "../catalog/bundle-plan.ts";
import type { PackBitmapSize, PackRecord } from "../catalog/pack-record.ts";
import { formatTips, type PackTips, type ReadTips } from "../format/bundle.ts";
import type { GraphSession } from "../graph/graph-session.ts";
import { objectFormat } from "../object/object-id.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import { homeOf, offeredBundles, readTips } from "../packing/offered-bundles.ts";
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
/** The names that are looked up at once. */
const NAMES_AT_ONCE = 2000;
/** The tips of a bundle that are looked at to find a commit for the next one to build on. Its branches come first. */
const MOST_LINKS = 16;
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

  /** Returns the refs whose values the pack has: HEAD's branch, other branches, tags. There may be very many rows. */
  async tips(rows: Iterable<RefRow>, head: string): Promise<Tip[]> {
    const ranked: RefRow[][] = [[], [], []];
    for (const some of inGroups(rows, NAMES_AT_ONCE)) {
      const { inside } = await parted(this.#own, some, ({ oid }) => oid);
      for (const row of inside) {
        const same = itemAt(ranked, rank(row, head));
        if (same.length < BUNDLES.mostTips) same.push(row);
      }
    }
    const inOrder = ranked.flat().slice(0, BUNDLES.mostTips);
    return inOrder.map(({ name, oid }) => ({ name, node: this.#session.node(oid) }));
  }

  /** Returns the first commit among the tips of a bundle; `undefined` if there is none. */
  async linkTo({ tips }: ReadTips): Promise<number | undefined> {
    const session = this.#session;
    for (const { oid } of tips.slice(0, MOST_LINKS)) {
      const name = fromHex(oid);
      const node = name === undefined ? -1 : await session.peel(session.node(name));
      if (node >= 0 && (await session.typeOf(node)) === TYPE_NUMBER.commit) return node;
    }
    return undefined;
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
    for (const some of inGroups(reached.names(), NAMES_AT_ONCE)) {
      const { outside } = await parted(this.#own, some, (name) => name);
      if (outside.length > 0) return false;
    }
    return true;
  }
}

/** Yields items in groups of up to `size`. */
function* inGroups<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let group: T[] = [];
  for (const item of items) {
    group.push(item);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** Returns the row of a ref; `undefined` if there is none. */
function rowOf(rows: Iterable<RefRow>, name: string): RefRow | undefined {
  for (const row of rows) if (row.name === name) return row;
  return undefined;
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
  const last = offered.at(-1);
  if (last === undefined) return undefined;
  const before = await readTips(repository, homeOf(snapshot, last), last);
  const rows = (): Iterable<RefRow> => decodeRefRows(snapshot.refs, objectFormat(record.objectFormat).rawSize);
  const database = openObjects(repository, record, snapshot.packs, snapshot.graphs);
  return await inOwnSession(repository, database, async (session) => {
    const own = openObjects(repository, record, [pack]);
    const newest = new NewestPack(repository, session, own, openObjects(repository, record, offered));
    const tips = await newest.tips(rows(), record.head);
    const main = tips[0]?.name === record.head ? undefined : rowOf(rows(), record.head);
    // A branch that has gone on is named with the value that it had when the pack was the newest.
    const entries = main === undefined ? [] : await newest.entries(session.node(main.oid));
    const [entry] = entries;
    const named = entry === undefined ? tips : [{ name: record.head, node: entry }, ...tips].slice(0, BUNDLES.mostTips);
    const all = [...new Set([...named.map(({ node }) => node), ...entries])];
    const history = await newest.prerequisites(all);
    const below = history === undefined ? undefined : await newest.needs(history);
    if (all.length === 0 || history === undefined || below === undefined) return undefined;
    // Where it builds on the bundle before it by itself, that is enough.
    const link = below.includes(offered.length - 1) ? undefined : await newest.linkTo(before);
    const prerequisites = link === undefined ? history : [...history, link];
    if (prerequisites.length === 0 || !(await newest.isEnough(all, prerequisites))) return undefined;
    return {
      needs: offered.filter((_, i) => i === offered.length - 1 || below.includes(i)).map(({ name }) => name),
      prerequisites: prerequisites.map((node) => toHex(session.nameOf(node))),
      tips: named.map(({ name, node }) => ({ name, oid: toHex(session.nameOf(node)) })),
    };
  });
}

/**
 * Writes the tips of a pack's bundle. Returns what the catalog has to know of the file: that there is none, where the pack lacks
 * something, builds on what is in no other bundle, or takes more than a step has.
 *
 * @throws CorruptStore
 */
export async function writeTips(input: TipsInput): Promise<PackBitmapSize> {
  const { repository, record, pack } = input;
  const snapshot = await repository.refs.open({ packs: true, refPrefixes: ["refs/heads/", "refs/tags/"] });
  if (snapshot.kind === "missing" || snapshot.record.id !== record.id) return NONE;
  const found = await findTips(input, snapshot).catch((error: unknown) => {
    // What its refs reach beyond the others is too much for a step, so that the next one would do no better.
    if (error instanceof LimitExceeded) return undefined;
    throw error;
  });
  if (found === undefined) return NONE;
  const bytes = formatTips(found);
  await repository.storage(record.id).write({ pack: pack.name, extension: "tips" }, bytes);
  return { ...NONE, tips: bytes.length };
}
