/**
 * What goes into an archive of a tree, in the order in which `git archive` writes it: no directory that nothing was found in, and
 * nothing that `.gitattributes` marks `export-ignore`.
 *
 * @packageDocumentation
 * @see git-archive(1), archive.c
 */
import { concat } from "../bytes/chunk.ts";
import { KIND_NUMBER } from "../object/object-kind.ts";
import { textOf } from "../object/byte-text.ts";
import { type AttributeFile, attributeOf, macrosIn, parseAttributes, rulesAbout } from "../object/attributes.ts";
import { FILE_MODE, isRegular, isTree } from "../object/tree.ts";
import type { BrowseSession } from "./browse-session.ts";
import { assertDepth, findPath, HeldDirectory } from "./tree-at.ts";

/** An entry of an archive. */
export type ArchiveEntry = {
  /** One character a byte; that of a directory, or a submodule, ends in a slash. */
  readonly path: string;
  readonly mode: number;
  /** Raw. */
  readonly oid: Uint8Array;
};

const IGNORE = "export-ignore";
const ATTRIBUTES = ".gitattributes";
/** Entries whose blobs are read ahead together. */
const BATCH = 128;

type Place = {
  /** "" or a path that ends in a slash. */
  readonly directory: string;
  /** Those of this directory and the ones above it, the deepest first. */
  readonly files: readonly AttributeFile[];
  readonly macros: ReadonlySet<string>;
};

/** Gives the entries of an archive of a tree (raw name). */
export async function* archiveEntries(session: BrowseSession, tree: Uint8Array): AsyncGenerator<ArchiveEntry> {
  await session.expectMany();
  let batch: ArchiveEntry[] = [];
  for await (const entry of new ArchiveWalk(session).entries(tree)) {
    batch.push(entry);
    if (batch.length < BATCH) continue;
    yield* readAhead(session, batch);
    batch = [];
  }
  yield* readAhead(session, batch);
}

async function* readAhead(session: BrowseSession, batch: readonly ArchiveEntry[]): AsyncGenerator<ArchiveEntry> {
  const blobs = batch.filter(({ path }) => !path.endsWith("/"));
  await session.graph.reader.prefetch(concat(blobs.map(({ oid }) => oid)));
  yield* batch;
}

class ArchiveWalk {
  readonly #session: BrowseSession;
  /** Directories on the way down that are not written yet. */
  #waiting: ArchiveEntry[] = [];

  constructor(session: BrowseSession) {
    this.#session = session;
  }

  async *entries(tree: Uint8Array): AsyncGenerator<ArchiveEntry> {
    yield* this.#level(tree, { directory: "", files: [], macros: new Set() }, 0);
  }

  async *#level(tree: Uint8Array, above: Place, depth: number): AsyncGenerator<ArchiveEntry> {
    assertDepth(depth);
    const place = await this.#placeOf(above, tree);
    const directory = await HeldDirectory.read(this.#session, tree);
    for (const { mode, name, oid, type } of directory.entries()) {
      const path = `${place.directory}${name}${type === "blob" ? "" : "/"}`;
      if (isTree(mode)) {
        if (isIgnored(place, path)) continue;
        const count = this.#waiting.length;
        this.#waiting.push({ path, mode: FILE_MODE.tree, oid });
        yield* this.#level(oid, { ...place, directory: path }, depth + 1);
        // as in git, what had nothing in it is forgotten
        this.#waiting.length = Math.min(this.#waiting.length, count);
        continue;
      }
      yield* this.#waiting;
      this.#waiting = [];
      if (!isIgnored(place, path)) yield { path, mode, oid };
    }
    directory.release();
  }

  /** The place with what its own file says. */
  async #placeOf(above: Place, tree: Uint8Array): Promise<Place> {
    const file = await findPath(this.#session, tree, ATTRIBUTES);
    if (file.kind !== "found" || !isRegular(file.mode)) return above;
    const object = await this.#session.graph.reader.copyIfHeld(file.oid);
    if (object?.kind !== KIND_NUMBER.blob) return above;
    const all = parseAttributes(textOf(object.bytes), above.directory === "");
    const macros = above.directory === "" ? macrosIn(all) : above.macros;
    const rules = rulesAbout(all, IGNORE, macros);
    if (rules.length === 0) return above;
    return { ...above, macros, files: [{ directory: above.directory, rules }, ...above.files] };
  }
}

function isIgnored({ files }: Place, path: string): boolean {
  return files.length > 0 && attributeOf(files, path, IGNORE) === true;
}
