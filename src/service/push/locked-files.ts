/**
 * Refuses updates that change files which others have locked. As in git-lfs, the new commits of a branch count: one
 * changes a file if the file differs from that of each of its parents. So a merge that brings the owner's own change
 * to another branch changes nothing.
 *
 * @packageDocumentation
 * @see https://github.com/git-lfs/git-lfs/blob/main/docs/api/locking.md
 */
import { Budget } from "../../bytes/budget.ts";
import { fromHex, toHex } from "../../bytes/hex.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { GraphSession } from "../../graph/graph-session.ts";
import { changedPaths, pathSet, type PathSources } from "../../graph/path-changes.ts";
import { CommitLinks } from "../../object/commit.ts";
import type { LockedFile } from "../../refs/ref-update.ts";
import { isZeroOid } from "../../refs/ref-plan.ts";
import type { ObjectDatabase } from "../../store/object-database.ts";
import type { PushVerdict } from "./push-verdict.ts";

const BRANCHES = "refs/heads/";
/** New commits of a push that are looked at one by one while files are locked. */
const MOST_COMMITS = 5000;
/** Directories that are read for it. */
const MOST_TREES = 20_000;
/** Locked files that a refusal names. */
const MOST_NAMED = 20;

/** The places where a push is looked up. */
export type LockedSources = {
  readonly locks: readonly LockedFile[];
  /** The objects that were there before the push. */
  readonly database: ObjectDatabase;
  /** Opens these together with those of the push. */
  readonly openAll: () => ObjectDatabase;
  readonly kernel: () => Promise<Kernel>;
};

/**
 * Refuses each running update of a branch that changes a locked file. It takes over the kernel, so the pack can't be
 * read afterwards.
 *
 * @throws LimitExceeded if there is too much to look at.
 */
export async function refuseLocked(verdict: PushVerdict, sources: LockedSources): Promise<void> {
  const branches = verdict.running.filter((index) => {
    const { name = "", newOid = "" } = verdict.updates[index] ?? {}; // Every running index has an update.
    return name.startsWith(BRANCHES) && !isZeroOid(newOid);
  });
  if (branches.length === 0) return;
  const lent = await sources.kernel();
  lent.reset();
  const session = new GraphSession(sources.openAll(), lent);
  const search = new LockedSearch(sources, session);
  try {
    for (const index of branches) {
      const tip = fromHex(verdict.updates[index]?.newOid ?? ""); // As above.
      const files = tip === undefined ? [] : await search.changedBy(tip);
      if (files.length > 0) verdict.reject(index, { kind: "locked", files: files.slice(0, MOST_NAMED) });
    }
  } finally {
    session.leaveGraph();
  }
}

/** The search for changes of locked files in one push. */
class LockedSearch {
  readonly #sources: LockedSources;
  readonly #paths: PathSources;
  readonly #links: CommitLinks;
  readonly #commits = new Budget({
    limit: "locked-commits",
    max: MOST_COMMITS,
    message: `more than ${MOST_COMMITS} commits while files are locked: push them in parts`,
  });
  /** What each new commit that was looked at changes. */
  readonly #changes = new Map<string, readonly string[]>();

  constructor(sources: LockedSources, session: GraphSession) {
    this.#sources = sources;
    const { reader, format } = session;
    const message = `more than ${MOST_TREES} directories to compare while files are locked: push in parts`;
    this.#paths = { reader, format, budget: new Budget({ limit: "locked-trees", max: MOST_TREES, message }) };
    this.#links = new CommitLinks(format);
  }

  /** Returns the locked files that the new commits up to `tip` change. */
  async changedBy(tip: Uint8Array): Promise<LockedFile[]> {
    const changed = new Set<string>();
    const seen = new Set<string>();
    let next = [tip];
    while (next.length > 0) {
      const fresh = await this.#newOnes(next.filter((name) => !seen.has(toHex(name))));
      for (const name of fresh) seen.add(toHex(name));
      const parents: Uint8Array[] = [];
      for (const name of fresh) {
        const commit = await this.#read(name);
        parents.push(...commit.parents);
        for (const path of await this.#changesOf(name, commit)) changed.add(path);
      }
      next = parents;
    }
    return this.#sources.locks.filter(({ path }) => changed.has(path));
  }

  /** Returns those of the commits that were not there before the push, each once. */
  async #newOnes(names: readonly Uint8Array[]): Promise<Uint8Array[]> {
    const unique = [...new Map(names.map((name) => [toHex(name), name])).values()];
    if (unique.length === 0) return [];
    const { rawSize } = this.#paths.format;
    const joined = new Uint8Array(unique.length * rawSize);
    for (const [at, name] of unique.entries()) joined.set(name, at * rawSize);
    const types = await this.#sources.database.typesOf(joined);
    return unique.filter((_, at) => types[at] === 0);
  }

  async #read(name: Uint8Array): Promise<{ readonly tree: Uint8Array; readonly parents: readonly Uint8Array[] }> {
    const { bytes } = await this.#paths.reader.readCopy(name);
    this.#links.read(bytes, 0, bytes.length);
    const parents = Array.from({ length: this.#links.parentCount }, (_, at) => this.#links.nameOf(at + 1).slice());
    return { tree: this.#links.nameOf(0).slice(), parents };
  }

  async #changesOf(
    name: Uint8Array,
    { tree, parents }: { readonly tree: Uint8Array; readonly parents: readonly Uint8Array[] },
  ): Promise<readonly string[]> {
    const known = this.#changes.get(toHex(name));
    if (known !== undefined) return known;
    this.#commits.spend(1);
    let paths = this.#sources.locks.map(({ path }) => path);
    // A commit without parents is compared with nothing.
    for (const parent of parents.length === 0 ? [undefined] : parents) {
      if (paths.length === 0) break;
      const before = parent === undefined ? undefined : (await this.#read(parent)).tree;
      paths = await changedPaths(this.#paths, before, tree, pathSet(paths));
    }
    this.#changes.set(toHex(name), paths);
    return paths;
  }
}
