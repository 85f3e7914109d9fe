/**
 * The merges of one request: of histories, and of the change of a single commit onto another. All of them read the same
 * snapshot, and what they make is held together.
 *
 * @packageDocumentation
 */
import { present } from "../../bytes/assert.ts";
import { concat } from "../../bytes/chunk.ts";
import { ObjectRejected } from "../../bytes/failure.ts";
import type { StreamingHash } from "../../bytes/hash.ts";
import { fromHex, toHex } from "../../bytes/hex.ts";
import type { GraphSession } from "../../graph/graph-session.ts";
import { type Comparing, comparing, findDivergence, findMergeBases } from "../../graph/merge-base.ts";
import { ReachedCommits } from "../../graph/reachability.ts";
import { mergeCommits, type MergeHistory } from "../../merge/merge-commits.ts";
import type { MergeOptions } from "../../merge/merge-state.ts";
import { mergeTrees, type MergeResult } from "../../merge/merge-trees.ts";
import { TYPE_NUMBER } from "../../object/object-type.ts";
import { expandRefName } from "../../object/ref-name.ts";
import type { Repository } from "../../repository/repository.ts";
import { reachedByRefs } from "../../repository/view.ts";
import type { WriteExchange, WriteSession } from "../commit/write-session.ts";
import { type CommitRecord, type NewRecord, readCommit, writeCommit } from "./commit-record.ts";
import { sameChanges } from "./patch-identity.ts";
import { StoredObjects } from "./stored-objects.ts";
import { TouchedPaths } from "./touched-paths.ts";

/** Commits that are looked at to find common ancestors. */
const MOST_COMMITS = 250_000;
/** Commits of our branch whose changes are compared with those that a rebase makes again. */
const MOST_COMPARED = 1000;

/** How two branches stand to each other. Names are hexadecimal. */
export type Standing = {
  /** Whether our branch has all that theirs has. */
  readonly isUpToDate: boolean;
  /** Whether their branch has all that ours has. */
  readonly isForward: boolean;
  readonly isUnrelated: boolean;
  /** The commits that only their branch has, the oldest first. */
  readonly theirs: readonly string[];
  /** The youngest of the commits that only our branch has, as many as changes are compared with. */
  readonly ours: readonly string[];
};

/** The merges of one request. Call {@link MergeRun.free} at the end. */
export class MergeRun {
  readonly source: StoredObjects;
  readonly #repository: Repository;
  readonly #session: WriteSession;
  readonly #graph: GraphSession;
  readonly #comparing: Comparing;

  private constructor(repository: Repository, session: WriteSession, graph: GraphSession, source: StoredObjects) {
    this.#repository = repository;
    this.#session = session;
    this.#graph = graph;
    this.#comparing = comparing(graph, MOST_COMMITS);
    this.source = source;
  }

  static async open({ repository }: WriteExchange, session: WriteSession): Promise<MergeRun> {
    const graph = await session.graph();
    const source = await StoredObjects.open({ repository, graph, objects: session.objects });
    return new MergeRun(repository, session, graph, source);
  }

  free(): void {
    this.source.free();
  }

  /** Whether there is a ref of this full name. */
  hasRef(name: string): boolean {
    return this.#session.valueOf(name) !== undefined;
  }

  /**
   * Returns the commits that refs, tags or full names of commits lead to; `undefined` for each that leads to none. An
   * object that no ref reaches counts as missing: its name is no capability.
   */
  async resolve(names: readonly string[]): Promise<(string | undefined)[]> {
    const values = names.map((name) => this.#valueOfAny(name));
    const given = names.map((name, at) => (values[at] === undefined ? this.#fullNameIn(name) : undefined));
    const shown = await this.#shownOf(given.filter((oid) => oid !== undefined));
    const commits: (string | undefined)[] = [];
    for (const [at, oid] of given.entries()) {
      const found = oid !== undefined && shown.has(oid) ? oid : values[at];
      commits.push(found === undefined ? undefined : await this.#commitAt(found));
    }
    return commits;
  }

  /** Returns the value of the ref that a name stands for. */
  #valueOfAny(name: string): string | undefined {
    const ref = expandRefName(name).find((full) => this.hasRef(full));
    return ref === undefined ? undefined : this.#session.valueOf(ref);
  }

  #fullNameIn(text: string): string | undefined {
    const oid = fromHex(text.toLowerCase());
    return oid?.length === this.#session.format.rawSize ? toHex(oid) : undefined;
  }

  /** Returns those of these objects that are commits or tags, and that some ref reaches. */
  async #shownOf(oids: readonly string[]): Promise<ReadonlySet<string>> {
    if (oids.length === 0) return new Set();
    const { begun: answer, database } = this.#session;
    const types = await database.typesOf(concat(oids.map(rawOf)));
    // A search for a tree or a blob would walk through everything, and neither can be merged.
    const here = oids.filter((_, at) => isCommitish(types[at]));
    const searched = { answer, database, graph: this.#graph, reached: new ReachedCommits(this.#graph) };
    const shown = await reachedByRefs(this.#repository, searched, here.map(rawOf));
    return new Set(here.filter((_, at) => shown[at] === true));
  }

  async #commitAt(oid: string): Promise<string | undefined> {
    const [type] = await this.#session.database.typesOf(rawOf(oid));
    if (!isCommitish(type)) return undefined;
    const peeled = await this.#graph.peel(this.#node(oid));
    return (await this.#graph.typeOf(peeled)) === TYPE_NUMBER.commit ? toHex(this.#graph.nameOf(peeled)) : undefined;
  }

  /** Finds how two commits stand to each other. @throws LimitExceeded */
  async standingOf(ours: string, theirs: string): Promise<Standing> {
    const [left, right] = [this.#node(ours), this.#node(theirs)];
    const { bases, right: only, left: own } = await findDivergence(this.#graph, { left, right }, this.#comparing);
    return {
      isUpToDate: bases.includes(right),
      isForward: bases.includes(left),
      isUnrelated: bases.length === 0,
      theirs: this.#topological(only).map((node) => toHex(this.#graph.nameOf(node))),
      ours: own.slice(0, MOST_COMPARED).map((node) => toHex(this.#graph.nameOf(node))),
    };
  }

  /** Orders commits, which are youngest first, so that each comes after its parents, as `git rev-list --topo-order --reverse`. */
  #topological(nodes: readonly number[]): number[] {
    const { commits } = this.#graph;
    const children = new Map(nodes.map((node) => [node, 0]));
    const parentsOf = (node: number): number[] => [...commits.parentsOf(node)].filter((parent) => children.has(parent));
    const add = (node: number, count: number): number => {
      const sum = (children.get(node) ?? 0) + count; // The commit is one of them.
      children.set(node, sum);
      return sum;
    };
    for (const node of nodes) for (const parent of parentsOf(node)) add(parent, 1);
    const ready = nodes.filter((node) => children.get(node) === 0).toReversed();
    const ordered: number[] = [];
    for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
      ordered.push(node);
      for (const parent of parentsOf(node)) if (add(parent, -1) === 0) ready.push(parent);
    }
    return ordered.toReversed();
  }

  /** Reads a commit. */
  async commitOf(oid: string): Promise<CommitRecord> {
    const { type, bytes } = await this.#graph.reader.readCopy(rawOf(oid));
    if (type !== TYPE_NUMBER.commit) throw new ObjectRejected(`${oid} is not a commit`);
    return readCommit(oid, bytes);
  }

  /** Merges two commits. */
  async merge(ours: string, theirs: string, options: MergeOptions): Promise<MergeResult> {
    this.source.useRulesOf((await this.commitOf(ours)).tree);
    return await mergeCommits(this.source, this.#history(), [ours, theirs], options);
  }

  /** Returns those of their commits whose changes our branch has already, in other commits. @throws LimitExceeded */
  async alreadyThere(standing: Standing): Promise<ReadonlySet<string>> {
    const { source } = this;
    const hash = (): StreamingHash => this.#repository.hash("sha256");
    const touched = new TouchedPaths(this.#graph);
    return await sameChanges(
      {
        source,
        hash,
        commitOf: async (oid) => await this.commitOf(oid),
        mayTouch: async (oid, paths) => await touched.mayTouch(this.#node(oid), paths),
      },
      standing,
    );
  }

  /** Brings the change from one tree to another into a third. */
  async apply(
    change: { readonly from: string; readonly to: string },
    onto: string,
    options: MergeOptions,
  ): Promise<MergeResult> {
    this.source.useRulesOf(onto);
    return await mergeTrees(this.source, { base: change.from, ours: onto, theirs: change.to }, options);
  }

  /** Adds a commit, and what its tree needs, to the objects that are to be stored. Returns its name. */
  async add(commit: NewRecord): Promise<string> {
    await this.source.keep(commit.tree);
    return toHex(await this.#session.addCommit(writeCommit(commit)));
  }

  #history(): MergeHistory {
    return {
      treeOf: async (commit) => (await this.commitOf(commit)).tree,
      basesOf: async (commit, others) => {
        const nodes = others.map((other) => this.#node(other));
        const bases = await findMergeBases(this.#graph, this.#node(commit), nodes, this.#comparing);
        return bases.map((node) => toHex(this.#graph.nameOf(node)));
      },
    };
  }

  #node(oid: string): number {
    return this.#graph.node(rawOf(oid));
  }
}

function isCommitish(type: number | undefined): boolean {
  return type === TYPE_NUMBER.commit || type === TYPE_NUMBER.tag;
}

function rawOf(oid: string): Uint8Array {
  return present(fromHex(oid), "a name");
}
