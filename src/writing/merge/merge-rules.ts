/**
 * The attributes of `.gitattributes` that say how files are merged, of one tree.
 *
 * @packageDocumentation
 * @see gitattributes(5), `merge`, `conflict-marker-size`
 */
import { Budget } from "../../bytes/budget.ts";
import type { MergeAttributes, MergeSource } from "../../merge/merge-source.ts";
import { type TreeEntry } from "../../merge/version.ts";
import {
  type AttributeFile,
  attributeOf,
  type AttributeQuestion,
  heldBytesOf,
  parseAttributes,
  questionFor,
} from "../../object/attributes.ts";
import { textOf } from "../../object/byte-text.ts";
import { isRegular, isTree } from "../../object/tree.ts";

const NAME = ".gitattributes";
/** What git defines itself. */
const BUILT_IN = "[attr]binary -diff -merge -text\n";
/** Steps of matching patterns. */
const MOST_STEPS = 20_000_000;

type Directory = { readonly entries: ReadonlyMap<string, TreeEntry>; readonly files: readonly AttributeFile[] };

/** The rules of a tree. A file of them is read when a path in its directory is asked for. */
export class MergeRules {
  readonly #source: Pick<MergeSource, "readTree" | "readBlob" | "work" | "hold">;
  readonly #tree: string;
  readonly #directories = new Map<string, Directory | undefined>();
  readonly #budget = new Budget({
    limit: "merge-steps",
    max: MOST_STEPS,
    message: "the patterns of .gitattributes take too much computing",
  });
  #held = 0;
  #questions: readonly [AttributeQuestion, AttributeQuestion] | undefined;

  constructor(source: Pick<MergeSource, "readTree" | "readBlob" | "work" | "hold">, tree: string) {
    this.#source = source;
    this.#tree = tree;
  }

  /** Gives back what the rules hold. */
  free(): void {
    this.#source.hold(-this.#held);
    this.#held = 0;
    this.#directories.clear();
  }

  /** Returns the attributes of a path. @throws LimitExceeded */
  async attributesOf(path: string): Promise<MergeAttributes> {
    const [merge, size] = (this.#questions ??= await this.#ask());
    const files = await this.#filesFor(path);
    const spent = this.#budget.spent;
    const attributes = {
      merge: attributeOf(files, path, merge, this.#budget),
      markerSize: attributeOf(files, path, size, this.#budget),
    };
    await this.#source.work(this.#budget.spent - spent);
    return attributes;
  }

  async #ask(): Promise<readonly [AttributeQuestion, AttributeQuestion]> {
    const entries = await this.#source.readTree(this.#tree);
    const text = BUILT_IN + (await this.#textIn(byName(entries)));
    return [questionFor("merge", text), questionFor("conflict-marker-size", text)];
  }

  /** Returns the files of the directories on the way to a path, the deepest first. */
  async #filesFor(path: string): Promise<readonly AttributeFile[]> {
    let files: readonly AttributeFile[] = [];
    for (let at = 0; at >= 0; at = path.indexOf("/", at) + 1 || -1) {
      const directory = await this.#open(path.slice(0, at));
      if (directory === undefined) break;
      ({ files } = directory);
    }
    return files;
  }

  /** Opens a directory: "", or a path that ends in a slash. Returns `undefined` if the tree has none there. */
  async #open(path: string): Promise<Directory | undefined> {
    if (this.#directories.has(path)) return this.#directories.get(path);
    const above = path.lastIndexOf("/", path.length - 2) + 1;
    const parent = path === "" ? undefined : this.#directories.get(path.slice(0, above));
    const entry = parent?.entries.get(path.slice(above, -1));
    const oid = path === "" ? this.#tree : entry !== undefined && isTree(entry.mode) ? entry.oid : undefined;
    const opened = oid === undefined ? undefined : await this.#read(path, oid, parent);
    this.#directories.set(path, opened);
    return opened;
  }

  async #read(directory: string, oid: string, parent: Directory | undefined): Promise<Directory> {
    const entries = byName(await this.#source.readTree(oid));
    const text = await this.#textIn(entries);
    const [merge, size] = this.#questions ?? [];
    const rules = [merge, size].flatMap((question) => (question === undefined ? [] : parseAttributes(text, question)));
    const bytes = rules.reduce((sum, rule) => sum + heldBytesOf(rule), 0);
    this.#held += bytes;
    this.#source.hold(bytes);
    const outer = parent?.files ?? []; // The top has nothing above it.
    return { entries, files: rules.length === 0 ? outer : [{ directory, rules }, ...outer] };
  }

  async #textIn(entries: ReadonlyMap<string, TreeEntry>): Promise<string> {
    const entry = entries.get(NAME);
    if (entry === undefined || !isRegular(entry.mode)) return "";
    const bytes = await this.#source.readBlob(entry.oid);
    return bytes === undefined ? "" : textOf(bytes);
  }
}

/** Returns the entries that are needed: directories, and the file with the rules. */
function byName(entries: readonly TreeEntry[]): ReadonlyMap<string, TreeEntry> {
  const needed = entries.filter(({ name, mode }) => name === NAME || isTree(mode));
  return new Map(needed.map((entry) => [entry.name, entry]));
}
