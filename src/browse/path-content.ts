/**
 * What commits have at one path.
 *
 * @packageDocumentation
 */
import { fromHex, toHex } from "../bytes/hex.ts";
import { type BloomKey, bloomKeys, mayHaveChanged } from "../format/bloom-filter.ts";
import { canonicalMode } from "../object/tree.ts";
import type { BrowseSession } from "./browse-session.ts";
import { findPath } from "./tree-at.ts";
import type { FileState } from "./tree-diff.ts";

/** The commits that are looked at before the filters of changed paths are read. */
const FEW_COMMITS = 4;
/** The most trees whose entry is remembered. */
const MOST_REMEMBERED = 20_000;

/** Returns what a content that {@link PathContent.of} told is; `undefined` for none. */
export function contentState(content: string): FileState | undefined {
  const [mode = "", hex = ""] = content.split(" ");
  const oid = fromHex(hex);
  return content === "" || oid === undefined ? undefined : { mode: Number.parseInt(mode, 8), oid };
}

/** The content of commits at one path, as text to compare: mode and name of the object, or "" if there is none. */
export class PathContent {
  readonly #session: BrowseSession;
  /** One character per byte. */
  readonly path: string;
  /** By the node of the root tree. Commits that don't touch the path mostly touch its neighbours. */
  readonly #known = new Map<number, string>();
  readonly #keys: readonly BloomKey[];
  #asked = 0;
  #hasFilters = false;

  constructor(session: BrowseSession, path: string) {
    this.#session = session;
    this.path = path;
    this.#keys = bloomKeys(path);
  }

  /** Whether the commit's filter says that it has at the path what its first parent has, or nothing if it has no parents. */
  async isUnchanged(commit: number): Promise<boolean> {
    const { database, commits } = this.#session.graph;
    const { graph } = database;
    if (graph === undefined) return false;
    if (++this.#asked === FEW_COMMITS) this.#hasFilters = await graph.loadFilters();
    if (!this.#hasFilters) return false;
    const known = commits.positionOf(commit);
    const position = known >= 0 ? known : graph.find(this.#session.graph.nameOf(commit));
    return position >= 0 && !mayHaveChanged(graph.filterAt(position), this.#keys);
  }

  /** Returns what a commit has at the path. */
  async of(commit: number): Promise<string> {
    const { graph } = this.#session;
    await graph.loadCommit(commit);
    const tree = graph.commits.treeOf(commit);
    const known = this.#known.get(tree);
    if (known !== undefined) return known;
    const found = await findPath(this.#session, graph.nameOf(tree), this.path);
    const content = found.kind === "found" ? `${canonicalMode(found.mode).toString(8)} ${toHex(found.oid)}` : "";
    if (this.#known.size >= MOST_REMEMBERED) this.#known.clear();
    this.#known.set(tree, content);
    return content;
  }
}
