/**
 * Tells which of some paths new commits change. A commit changes a path if what it has there differs from what each of
 * its parents has: so a merge that brings a change to another branch changes nothing.
 *
 * @packageDocumentation
 */
import type { Budget } from "../bytes/budget.ts";
import { concat } from "../bytes/chunk.ts";
import { toHex } from "../bytes/hex.ts";
import { CommitLinks } from "../object/commit.ts";
import type { ObjectDatabase } from "../store/object-database.ts";
import type { GraphSession } from "./graph-session.ts";
import { changedPaths, pathSet, type PathSources } from "./path-changes.ts";

/** What is looked at, and how much of it. */
export type NewChangesInput = {
  /** The paths that are asked for. */
  readonly paths: readonly string[];
  /** What was there before the new commits. */
  readonly before: ObjectDatabase;
  /** Spent by one for each new commit. */
  readonly commits: Budget;
  /** Spent by one for each directory that is read. */
  readonly trees: Budget;
};

type Links = { readonly tree: Uint8Array; readonly parents: readonly Uint8Array[] };

/** The search for changes of some paths. Each commit is looked at once. */
export class NewChanges {
  readonly #input: NewChangesInput;
  readonly #sources: PathSources;
  readonly #links: CommitLinks;
  /** What each new commit that was looked at changes. */
  readonly #changes = new Map<string, readonly string[]>();

  /** `session` reads the new commits, too. */
  constructor(input: NewChangesInput, { reader, format }: GraphSession) {
    this.#input = input;
    this.#sources = { reader, format, budget: input.trees };
    this.#links = new CommitLinks(format);
  }

  /** Returns the paths that the new commits up to `tip` change. @throws LimitExceeded */
  async upTo(tip: Uint8Array): Promise<Set<string>> {
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
    return changed;
  }

  /** Returns those of the commits that were not there before, each once. */
  async #newOnes(names: readonly Uint8Array[]): Promise<Uint8Array[]> {
    const unique = [...new Map(names.map((name) => [toHex(name), name])).values()];
    if (unique.length === 0) return [];
    const types = await this.#input.before.typesOf(concat(unique));
    return unique.filter((_, at) => types[at] === 0);
  }

  async #read(name: Uint8Array): Promise<Links> {
    const { bytes } = await this.#sources.reader.readCopy(name);
    this.#links.read(bytes, 0, bytes.length);
    const parents = Array.from({ length: this.#links.parentCount }, (_, at) => this.#links.nameOf(at + 1).slice());
    return { tree: this.#links.nameOf(0).slice(), parents };
  }

  async #changesOf(name: Uint8Array, { tree, parents }: Links): Promise<readonly string[]> {
    const known = this.#changes.get(toHex(name));
    if (known !== undefined) return known;
    this.#input.commits.spend(1);
    let { paths } = this.#input;
    // A commit without parents is compared with nothing.
    for (const parent of parents.length === 0 ? [undefined] : parents) {
      if (paths.length === 0) break;
      const before = parent === undefined ? undefined : (await this.#read(parent)).tree;
      paths = await changedPaths(this.#sources, before, tree, pathSet(paths));
    }
    this.#changes.set(toHex(name), paths);
    return paths;
  }
}
