/**
 * Objects that no ref reaches yet: trees, commits and tags that a caller makes one by one, before a ref is moved to them.
 * They are kept for a day in the repository's own object. A ref that moves to one brings it in with all that it needs,
 * by the steps of a push, where everything is inflated, hashed and checked.
 *
 * @packageDocumentation
 */
import { concat } from "../../bytes/chunk.ts";
import { fromHex, toHex } from "../../bytes/hex.ts";
import { CommitLinks } from "../../object/commit.ts";
import type { ObjectFormat } from "../../object/object-id.ts";
import { readTagLinks } from "../../object/tag.ts";
import { isGitlink, TreeReader } from "../../object/tree.ts";
import type { KeptBlobStore, KeptObject } from "../../refs/kept-blobs.ts";
import type { WriteSession } from "./write-session.ts";

/** Objects that one move of refs brings in. */
const MOST_BROUGHT = 10_000;

/** Returns the raw names of what an object refers to, submodules aside. */
function referencesOf({ type, bytes }: KeptObject, format: ObjectFormat): Uint8Array[] {
  if (type === "commit") return linksOf(bytes, format);
  if (type === "tag") return [readTagLinks(bytes, 0, bytes.length, format).object];
  if (type === "blob") return [];
  const names: Uint8Array[] = [];
  const reader = new TreeReader(bytes, 0, bytes.length, format.rawSize);
  while (reader.next()) {
    if (!isGitlink(reader.mode)) names.push(bytes.slice(reader.oidAt, reader.oidAt + format.rawSize));
  }
  return names;
}

/** Returns the raw names of a commit's tree and parents. */
function linksOf(bytes: Uint8Array, format: ObjectFormat): Uint8Array[] {
  const links = new CommitLinks(format);
  links.read(bytes, 0, bytes.length);
  return Array.from({ length: links.parentCount + 1 }, (_, at) => links.nameOf(at).slice());
}

/** Returns those of some objects, by their raw names, that the repository has not. */
export async function missingOf(session: WriteSession, names: readonly Uint8Array[]): Promise<Uint8Array[]> {
  if (names.length === 0) return [];
  const types = await session.database.typesOf(concat(names));
  return names.filter((_, at) => types[at] === 0);
}

/** What was brought in: for each kept commit, by its name in hexadecimal, the names of its parents. */
export type Brought = ReadonlyMap<string, readonly string[]>;

/**
 * Adds kept objects to those that the session lands, with all that they refer to and that is kept, too. What is nowhere
 * is left out: the landing says that it is missing.
 */
export async function bringKept(session: WriteSession, kept: KeptBlobStore, oids: readonly string[]): Promise<Brought> {
  const parents = new Map<string, readonly string[]>();
  const seen = new Set<string>();
  let level: Uint8Array[] = oids
    .flatMap((oid) => fromHex(oid) ?? [])
    .filter(({ length }) => length === session.format.rawSize);
  while (level.length > 0 && seen.size < MOST_BROUGHT) {
    for (const name of level) seen.add(toHex(name));
    const missing = (await missingOf(session, level)).map((name) => toHex(name));
    if (missing.length === 0) break;
    const objects = await keptObjects(kept, missing);
    const found = new Set(objects.map(({ oid }) => oid));
    await bringBlobs(session, kept, missing.filter((oid) => !found.has(oid))); // prettier-ignore
    const next: Uint8Array[] = [];
    for (const object of objects) {
      await session.objects.add(object.type, object.bytes);
      const references = referencesOf(object, session.format);
      if (object.type === "commit") parents.set(object.oid, references.slice(1).map((name) => toHex(name))); // prettier-ignore
      next.push(...references);
    }
    const unique = new Map(next.map((name) => [toHex(name), name]));
    level = [...unique].filter(([oid]) => !seen.has(oid)).map(([, name]) => name);
  }
  return parents;
}

async function bringBlobs(session: WriteSession, kept: KeptBlobStore, oids: readonly string[]): Promise<void> {
  if (oids.length === 0) return;
  const answer = await kept.keptBlobs({ kind: "find", oids });
  for (const blob of answer.kind === "kept" ? answer.blobs : []) {
    const name = fromHex(blob.oid);
    if (name !== undefined) session.objects.addKept(name, blob);
  }
}

/** Returns those of some objects that are kept. */
export async function keptObjects(kept: KeptBlobStore, oids: readonly string[]): Promise<readonly KeptObject[]> {
  if (oids.length === 0) return [];
  const answer = await kept.keptBlobs({ kind: "find-objects", oids });
  return answer.kind === "objects" ? answer.objects : [];
}
