/**
 * Objects that no ref reaches yet: trees, commits and tags that a caller makes one by one, before a ref is moved to them.
 * They are kept for a day in the repository's own object. A ref that moves to one brings it in with all that it needs,
 * by the steps of a push, where everything is inflated, hashed and checked.
 *
 * @packageDocumentation
 */
import { concat } from "../../bytes/chunk.ts";
import { fromHex, toHex } from "../../bytes/hex.ts";
import type { RequestMemory } from "../../bytes/memory-budget.ts";
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
async function missingOf(session: WriteSession, names: readonly Uint8Array[]): Promise<Uint8Array[]> {
  if (names.length === 0) return [];
  const types = await session.database.typesOf(concat(names));
  return names.filter((_, at) => types[at] === 0);
}

/** What was brought in: for each kept commit, by its name in hexadecimal, the names of its parents. */
export type Brought = ReadonlyMap<string, readonly string[]>;

/** Where kept objects come from, and what holds them meanwhile. */
export type KeptSource = { readonly kept: KeptBlobStore; readonly memory: Pick<RequestMemory, "hold"> };

/**
 * Adds kept objects to those that the session lands, with all that they refer to and that is kept, too. What is nowhere
 * is left out: the landing says that it is missing.
 */
export async function bringKept(session: WriteSession, source: KeptSource, oids: readonly string[]): Promise<Brought> {
  const parents = new Map<string, readonly string[]>();
  const seen = new Set<string>();
  const named = oids.flatMap((oid) => fromHex(oid) ?? []);
  let level = await absentOf(session, named.filter(({ length }) => length === session.format.rawSize), seen); // prettier-ignore
  while (level.length > 0) {
    const unfound = new Set(level);
    const next: string[] = [];
    await eachKept(source, level, async (object) => {
      unfound.delete(object.oid);
      await session.objects.add(object.type, object.bytes);
      const references = referencesOf(object, session.format);
      if (object.type === "commit") parents.set(object.oid, references.slice(1).map((name) => toHex(name))); // prettier-ignore
      next.push(...(await absentOf(session, references, seen)));
    });
    await bringBlobs(session, source.kept, [...unfound]);
    level = next;
  }
  return parents;
}

/** Returns the names in hexadecimal of objects that are not here and were not seen before, and adds them to `seen`. */
async function absentOf(session: WriteSession, names: readonly Uint8Array[], seen: Set<string>): Promise<string[]> {
  const absent: string[] = [];
  for (const name of await missingOf(session, names)) {
    const oid = toHex(name);
    if (seen.has(oid) || seen.size === MOST_BROUGHT) continue;
    seen.add(oid);
    absent.push(oid);
  }
  return absent;
}

async function bringBlobs(session: WriteSession, kept: KeptBlobStore, oids: readonly string[]): Promise<void> {
  if (oids.length === 0) return;
  const answer = await kept.keptBlobs({ kind: "find", oids });
  for (const blob of answer.kind === "kept" ? answer.blobs : []) {
    const name = fromHex(blob.oid);
    if (name !== undefined) session.objects.addKept(name, blob);
  }
}

/** Calls `visit` for each of some objects that is kept. They come in pages, and those of a page are held meanwhile. */
export async function eachKept(
  { kept, memory }: KeptSource,
  oids: readonly string[],
  visit: (object: KeptObject) => Promise<void> | void,
): Promise<void> {
  let left = oids.toSorted();
  while (left.length > 0) {
    const answer = await kept.keptBlobs({ kind: "find-objects", oids: left });
    if (answer.kind !== "objects") return;
    const bytes = answer.objects.reduce((sum, object) => sum + object.bytes.length, 0);
    memory.hold(bytes);
    try {
      for (const object of answer.objects) await visit(object);
    } finally {
      memory.hold(-bytes);
    }
    const last = answer.objects.at(-1);
    if (!answer.isCut || last === undefined) return;
    left = left.filter((oid) => oid > last.oid);
  }
}
