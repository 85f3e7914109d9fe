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
  /** The most paths that are told of each tip. */
  readonly most: number;
  /** What was there before the new commits. */
  readonly before: ObjectDatabase;
  /** Spent by one for each new commit. */
  readonly commits: Budget;
  /** Spent by one for each directory that is read. */
  readonly trees: Budget;
};

type Links = { readonly tree: Uint8Array; readonly parents: readonly Uint8Array[] };

/** A new commit: its parents by their names in hexadecimal, and the paths that it changes itself. */
type NewCommit = { readonly parents: readonly string[]; readonly changed: readonly string[] };

const NOTHING: readonly string[] = [];

/** The search for changes of some paths. Each commit is read once, however many tips reach it. */
export class NewChanges {
  readonly #input: NewChangesInput;
  readonly #sources: PathSources;
  readonly #links: CommitLinks;
  readonly #commits = new Map<string, NewCommit>();
  /** What each new commit changes together with those that it reaches. */
  readonly #reached = new Map<string, readonly string[]>();

  /** `session` reads the new commits, too. */
  constructor(input: NewChangesInput, { reader, format }: GraphSession) {
    this.#input = input;
    this.#sources = { reader, format, budget: input.trees };
    this.#links = new CommitLinks(format);
  }

  /** Reads the new commits up to these. @throws LimitExceeded */
  async read(tips: readonly Uint8Array[]): Promise<void> {
    let next = tips;
    while (next.length > 0) {
      const parents: Uint8Array[] = [];
      for (const name of await this.#newOnes(next)) {
        const links = await this.#linksOf(name);
        parents.push(...links.parents);
        const changed = await this.#changesOf(links);
        this.#commits.set(toHex(name), { parents: links.parents.map((parent) => toHex(parent)), changed });
      }
      next = parents;
    }
  }

  /** Returns paths that the new commits up to one of the tips change, at most `most`: none if there are none. */
  upTo(tip: Uint8Array): readonly string[] {
    const stack = [toHex(tip)];
    for (let name = stack.at(-1); name !== undefined; name = stack.at(-1)) {
      const commit = this.#commits.get(name);
      const first = commit?.parents.filter((parent) => this.#commits.has(parent) && !this.#reached.has(parent)) ?? [];
      if (first.length === 0) {
        stack.pop();
        if (commit !== undefined && !this.#reached.has(name)) this.#reached.set(name, this.#united(commit));
      } else {
        for (const parent of first) stack.push(parent);
      }
    }
    return this.#reached.get(toHex(tip)) ?? NOTHING; // A tip that is not new brings no change.
  }

  #united({ parents, changed }: NewCommit): readonly string[] {
    const lists = parents.flatMap((parent) => {
      const list = this.#reached.get(parent) ?? NOTHING; // A parent that is not new brings no change.
      return list.length > 0 ? [list] : [];
    });
    const [only = changed] = lists;
    if (lists.length === 0 || (lists.length === 1 && changed.length === 0)) return only;
    return [...new Set([changed, ...lists].flat())].slice(0, this.#input.most);
  }

  /** Returns those of the commits that were not there before and have not been read, each once. */
  async #newOnes(names: readonly Uint8Array[]): Promise<Uint8Array[]> {
    const unique = new Map(names.map((name) => [toHex(name), name]));
    for (const name of unique.keys()) if (this.#commits.has(name)) unique.delete(name);
    if (unique.size === 0) return [];
    const asked = [...unique.values()];
    const types = await this.#input.before.typesOf(concat(asked));
    return asked.filter((_, at) => types[at] === 0);
  }

  async #linksOf(name: Uint8Array): Promise<Links> {
    const { bytes } = await this.#sources.reader.readCopy(name);
    this.#links.read(bytes, 0, bytes.length);
    const parents = Array.from({ length: this.#links.parentCount }, (_, at) => this.#links.nameOf(at + 1).slice());
    return { tree: this.#links.nameOf(0).slice(), parents };
  }

  async #changesOf({ tree, parents }: Links): Promise<readonly string[]> {
    this.#input.commits.spend(1);
    let { paths } = this.#input;
    // A commit without parents is compared with nothing.
    for (const parent of parents.length === 0 ? [undefined] : parents) {
      if (paths.length === 0) return NOTHING;
      const before = parent === undefined ? undefined : (await this.#linksOf(parent)).tree;
      paths = await changedPaths(this.#sources, before, tree, pathSet(paths));
    }
    return paths.slice(0, this.#input.most);
  }
}
