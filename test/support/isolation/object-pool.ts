/**
 * Every object that a game makes, with what refers to what: so a test knows what a ref reaches, and asks nobody.
 *
 * Each commit has a word of its own in its message, in the name of a file and in the file. Whatever of it comes out of a host can be
 * told by that word, whichever way it comes.
 *
 * @packageDocumentation
 */
import { buildPack, commitOf, objectId, type RawEntry, treeOf } from "../git-raw.ts";

/** The words of commits, wherever they stand. */
export const WORD = /qz\d{4}xk/g;

/** A commit, and what it consists of. */
export type PoolCommit = {
  readonly oid: string;
  readonly tree: string;
  readonly parents: readonly string[];
  /** The word of this commit alone. */
  readonly word: string;
  /** The files of the commit: their contents' names by their paths. */
  readonly files: ReadonlyMap<string, string>;
};

type PoolObject = { readonly entry: RawEntry; readonly refers: readonly string[]; readonly word?: string };

/** The path of the file that a commit with a word adds. */
export function fileOf(word: string): string {
  return `${word}.txt`;
}

/** The content of that file. */
export function contentOf(word: string): string {
  return `${word} is what this file has\n`;
}

/** The objects of one game. */
export class ObjectPool {
  readonly #objects = new Map<string, PoolObject>();
  readonly commits = new Map<string, PoolCommit>();
  #count = 0;

  /** Returns a word that no commit has yet. */
  nextWord(): string {
    return `qz${String(this.#count++).padStart(4, "0")}xk`;
  }

  /** Adds an object that is there already or not. Returns its name. */
  add(
    type: "commit" | "tree" | "blob" | "tag",
    content: Uint8Array | string,
    refers: readonly string[],
    word?: string,
  ): string {
    const oid = objectId(type, content);
    if (!this.#objects.has(oid)) {
      this.#objects.set(oid, { entry: { type, content }, refers, ...(word === undefined ? {} : { word }) });
    }
    return oid;
  }

  /** Makes a commit on others, which adds a file to those of its parents. */
  commitOn(parents: readonly string[]): PoolCommit {
    const word = this.nextWord();
    const blob = this.add("blob", contentOf(word), [], word);
    const files = new Map([...parents.flatMap((parent) => [...this.commit(parent).files]), [fileOf(word), blob]]);
    const who = `${word} <${word}@example.com> 1700000000 +0000`;
    const tree = this.addTree(files);
    const text = commitOf(tree, parents, `author ${who}\ncommitter ${who}`).replace("message\n", `${word}\n`);
    return this.addCommit(text, { tree, parents, word, files });
  }

  /** Adds the tree of files. Returns its name. */
  addTree(files: ReadonlyMap<string, string>): string {
    const rows = [...files]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, oid]): [string, string, string] => ["100644", path, oid]);
    return this.add("tree", treeOf(...rows), [...files.values()]);
  }

  /** Adds a commit by its text. */
  addCommit(text: string, commit: Omit<PoolCommit, "oid">): PoolCommit {
    const oid = this.add("commit", text, [commit.tree, ...commit.parents], commit.word);
    const made = { ...commit, oid };
    this.commits.set(oid, made);
    return made;
  }

  /** Returns a commit of the pool. */
  commit(oid: string): PoolCommit {
    const found = this.commits.get(oid);
    if (found === undefined) throw new Error(`${oid} is no commit of this game`);
    return found;
  }

  /** Whether an object was made in this game. */
  has(oid: string): boolean {
    return this.#objects.has(oid);
  }

  /** The names of all objects. */
  get names(): string[] {
    return [...this.#objects.keys()];
  }

  /** Returns the names of all objects that some objects reach, themselves included. */
  reachedFrom(tips: Iterable<string>): Set<string> {
    const reached = new Set<string>();
    const left = [...tips];
    for (let oid = left.pop(); oid !== undefined; oid = left.pop()) {
      if (reached.has(oid)) continue;
      const found = this.#objects.get(oid);
      if (found === undefined) throw new Error(`${oid} is no object of this game`);
      reached.add(oid);
      left.push(...found.refers);
    }
    return reached;
  }

  /** Returns the words of objects. */
  wordsOf(oids: Iterable<string>): Set<string> {
    const words = new Set<string>();
    for (const oid of oids) {
      const word = this.#objects.get(oid)?.word;
      if (word !== undefined) words.add(word);
    }
    return words;
  }

  /** Returns a pack of objects, the same bytes for the same objects. */
  packOf(oids: Iterable<string>): Buffer {
    const entries = [...oids].toSorted().map((oid) => {
      const found = this.#objects.get(oid);
      if (found === undefined) throw new Error(`${oid} is no object of this game`);
      return found.entry;
    });
    return buildPack(entries);
  }
}
