/**
 * Makes trees, commits and annotated tags by themselves, to be named by a ref later: see `kept-objects.ts`.
 *
 * @packageDocumentation
 */
import { concat } from "../../bytes/chunk.ts";
import { FsckRejected } from "../../bytes/failure.ts";
import { fromHex, toHex } from "../../bytes/hex.ts";
import { CommitLinks } from "../../object/commit.ts";
import type { Forgiving, FsckLeniency } from "../../object/fsck-rule.ts";
import { fsckTree } from "../../object/fsck-tree.ts";
import { fsckCommit, fsckTag } from "../../object/fsck.ts";
import { type ObjectType, TYPE_NUMBER, typeOfNumber } from "../../object/object-type.ts";
import { FILE_MODE, isGitlink, isTree, typeOfMode } from "../../object/tree.ts";
import { leniencyFor } from "../../refs/fsck-settings.ts";
import {
  type KeptBlobStore,
  type KeptObject,
  MOST_KEPT_OBJECTS,
  MOST_OBJECT_BYTES,
  MOST_OBJECTS_BYTES,
} from "../../refs/kept-blobs.ts";
import type { Repository } from "../../repository/repository.ts";
import { type CommitFields, encodeCommit, encodeTag, type TagFields } from "./commit-text.ts";
import { Directory } from "./directory.ts";
import { checkPath, pathSteps } from "./file-path.ts";
import { eachKept, type KeptSource } from "./kept-objects.ts";
import { type WriteExchange, WriteSession } from "./write-session.ts";

/** Bytes of the trees that one request opens. */
const MOST_OPEN_BYTES = 8 * 1024 * 1024;
/** Bytes that a directory takes beside those of its stored tree. */
const DIRECTORY_BYTES = 1000;
/** Steps of judging an object, beside those of its bytes. */
const OBJECT_STEPS = 500;

/** Who makes objects, and where they are kept. */
export type MakingExchange = WriteExchange & { readonly kept: KeptBlobStore };

/** What came of it. The name is hexadecimal. `refused` says why; `full`: as much is kept as may be. */
export type MadeObject =
  | { readonly kind: "made"; readonly oid: string }
  | { readonly kind: "refused"; readonly detail: string }
  | { readonly kind: "full" };

/** An entry of a tree that is to be made. */
export type TreeOrder = {
  readonly path: string;
  readonly mode: number;
  /** The name of an object, in hexadecimal; its bytes, if it is a file that is new; or `null` to take away what is there. */
  readonly object: string | Uint8Array | null;
};

/** Thrown to end the making with a refusal. */
class Refusal extends Error {
  override readonly name = "Refusal";
}

/** One making of objects. */
class Making {
  readonly session: WriteSession;
  readonly #kept: KeptBlobStore;
  readonly #tools: Pick<Repository, "memory" | "pacer">;
  readonly #made: KeptObject[] = [];
  /** What of fsck's findings the repository lets pass; a thousand objects may be named in it. */
  readonly #leniency: FsckLeniency;
  #madeBytes = 0;
  #openBytes = 0;
  #newDirectories = 0;
  #heldBytes = 0;

  constructor(session: WriteSession, { kept, repository }: MakingExchange) {
    this.session = session;
    this.#kept = kept;
    this.#tools = repository;
    this.#leniency = leniencyFor(session.begun.record.fsck);
  }

  /** Makes an object, and returns its raw name. No more are made than can be kept. */
  async add(type: ObjectType, bytes: Uint8Array): Promise<Uint8Array> {
    if (bytes.length > MOST_OBJECT_BYTES) throw new Refusal(`a ${type} may have ${MOST_OBJECT_BYTES} bytes here`);
    this.#madeBytes += bytes.length;
    if (this.#made.length === MOST_KEPT_OBJECTS) throw new Refusal(`more than ${MOST_KEPT_OBJECTS} objects are new`);
    if (this.#madeBytes > MOST_OBJECTS_BYTES)
      throw new Refusal(`what is new has more than ${MOST_OBJECTS_BYTES} bytes`);
    this.#hold(bytes.length);
    const name = await this.session.objects.nameOf(type, bytes);
    this.#judge(type, bytes, toHex(name));
    this.#made.push({ oid: toHex(name), type, bytes });
    return name;
  }

  /** Refuses what the landing would refuse, when a ref moves to it. */
  #judge(type: ObjectType, bytes: Uint8Array, oid: string): void {
    const { format } = this.session;
    const { ignored, warned, skipped } = this.#leniency;
    const forgives: Forgiving = (id) => ignored.has(id) || warned.has(id);
    this.#tools.pacer.add(OBJECT_STEPS + bytes.length);
    const found =
      type === "tree"
        ? fsckTree(bytes, format, undefined, forgives)
        : type === "commit"
          ? fsckCommit(bytes, format, forgives)
          : type === "tag"
            ? fsckTag(bytes, format, forgives)
            : undefined;
    if (found !== undefined && !skipped.has(oid))
      throw new Refusal(new FsckRejected(oid, found.id, found.text).message);
  }

  #hold(bytes: number): void {
    this.#heldBytes += bytes;
    this.#tools.memory.hold(bytes);
  }

  get #source(): KeptSource {
    return { kept: this.#kept, memory: this.#tools.memory };
  }

  /** Gives back what is held. */
  free(): void {
    this.#tools.memory.hold(-this.#heldBytes);
    this.#heldBytes = 0;
  }

  /** Keeps what was made. */
  async keep(name: Uint8Array): Promise<MadeObject> {
    const answer = await this.#kept.keptBlobs({ kind: "keep-objects", objects: this.#made });
    return answer.kind === "full" ? { kind: "full" } : { kind: "made", oid: toHex(name) };
  }

  /** Returns the raw name of an object. */
  rawName(oid: string): Uint8Array {
    const raw = fromHex(oid);
    if (raw?.length === this.session.format.rawSize) return raw;
    throw new Refusal(`${JSON.stringify(oid.slice(0, 64))} is no name of an object`);
  }

  /** Checks that objects are here, or kept, and of the types that they are named as. */
  async assertHere(named: readonly { readonly oid: string; readonly type: ObjectType }[]): Promise<void> {
    const { database } = this.session;
    for (const { oid } of named) this.rawName(oid);
    const oids = [...new Set(named.map(({ oid }) => oid))];
    const types = oids.length === 0 ? [] : await database.typesOf(concat(oids.flatMap((oid) => fromHex(oid) ?? [])));
    const found = new Map(oids.map((oid, at) => [oid, typeOfNumber(types[at] ?? 0)])); // A type for each.
    const absent = oids.filter((oid) => found.get(oid) === undefined);
    await eachKept(this.#source, absent, ({ oid, type }) => void found.set(oid, type));
    const blobs = absent.filter((oid) => found.get(oid) === undefined);
    const answer = blobs.length === 0 ? undefined : await this.#kept.keptBlobs({ kind: "find", oids: blobs });
    for (const { oid } of answer?.kind === "kept" ? answer.blobs : []) found.set(oid, "blob");
    for (const { oid, type } of named) {
      if (found.get(oid) !== type) throw new Refusal(`there is no ${type} ${oid} here`);
    }
  }

  /** Returns the tree of a commit that is here or kept, and every other name as it is. */
  async treeOf(name: Uint8Array): Promise<Uint8Array> {
    const [type = 0] = await this.session.database.typesOf(name); // One name, one type.
    const found: KeptObject[] = [];
    if (type === 0) await eachKept(this.#source, [toHex(name)], (object) => void found.push(object));
    const kept = found.find((object) => object.type === "commit");
    if (type !== TYPE_NUMBER.commit && kept === undefined) return name;
    const bytes = kept?.bytes ?? (await (await this.session.graph()).reader.readCopy(name)).bytes;
    const links = new CommitLinks(this.session.format);
    links.read(bytes, 0, bytes.length);
    return links.nameOf(0).slice();
  }

  /** Opens a tree by its raw name, whether it is here or kept. */
  async openTree(name: Uint8Array): Promise<Directory> {
    const [type = 0] = await this.session.database.typesOf(name); // One name, one type.
    const found: KeptObject[] = [];
    if (type === 0) await eachKept(this.#source, [toHex(name)], (object) => void found.push(object));
    const [kept] = found;
    if (type !== TYPE_NUMBER.tree && kept?.type !== "tree") throw new Refusal(`there is no tree ${toHex(name)} here`);
    const { reader } = await this.session.graph();
    const bytes = kept?.bytes ?? (await reader.readCopy(name)).bytes;
    this.#openBytes += bytes.length;
    if (this.#openBytes > MOST_OPEN_BYTES) throw new Refusal("the directories that change are too large together");
    const directory = new Directory(this.session.format.rawSize, bytes, name);
    this.#hold(directory.heldBytes + DIRECTORY_BYTES);
    return directory;
  }

  /** Makes a directory. Each becomes an object, and so there may be no more than can be kept. */
  #newDirectory(): Directory {
    this.#newDirectories++;
    if (this.#newDirectories > MOST_KEPT_OBJECTS)
      throw new Refusal(`more than ${MOST_KEPT_OBJECTS} directories are new`);
    this.#hold(DIRECTORY_BYTES);
    return new Directory(this.session.format.rawSize);
  }

  /** Counts steps, and pauses where that is due. */
  async pace(steps: number): Promise<void> {
    const { pacer } = this.#tools;
    pacer.add(steps);
    if (pacer.isDue) await pacer.pace();
  }

  /**
   * Finds the directory of a path. Those on the way that are missing are made if `isMaking`; if not, and some are, there is
   * no such directory.
   */
  async directoryOf(root: Directory, names: readonly string[], isMaking: boolean): Promise<Directory | undefined> {
    let directory = root;
    for (const name of names) {
      const entry = directory.get(name);
      const open = directory.children.get(name);
      const isDirectory = entry !== undefined && isTree(entry.mode);
      if (!isDirectory && !isMaking) return undefined;
      const child =
        isDirectory && open !== undefined ? open : isDirectory ? await this.openTree(entry.oid) : this.#newDirectory();
      directory.children.set(name, child);
      if (!isDirectory) directory.set(name, { mode: FILE_MODE.tree, oid: new Uint8Array(this.session.format.rawSize) });
      directory = child;
    }
    return directory;
  }

  /** Writes a tree and what is below it, and returns its name. Directories that nothing is left in go. */
  async write(root: Directory): Promise<Uint8Array> {
    await this.#writeBelow(root);
    return await this.#addTree(root);
  }

  async #addTree(directory: Directory): Promise<Uint8Array> {
    const { content } = await this.#tools.pacer.finish(directory.encode());
    return await this.add("tree", content);
  }

  /** Writes what has changed in the open directories below one, however deep it is. */
  async #writeBelow(directory: Directory): Promise<void> {
    for (const [name, child] of directory.children) {
      const entry = directory.get(name);
      // A file may have come in its place.
      if (entry === undefined || !isTree(entry.mode)) continue;
      // What is in it changes as its own directories do.
      await this.#writeBelow(child);
      if (!child.isChanged) continue;
      if (child.count === 0) directory.remove(name);
      else directory.set(name, { mode: FILE_MODE.tree, oid: await this.#addTree(child) });
    }
  }
}

async function making(exchange: MakingExchange, work: (making: Making) => Promise<Uint8Array>): Promise<MadeObject> {
  const session = await WriteSession.begin(exchange, { names: [], makesObjects: false });
  const made = new Making(session, exchange);
  try {
    return await made.keep(await work(made));
  } catch (error) {
    if (error instanceof Refusal) return { kind: "refused", detail: error.message };
    throw error;
  } finally {
    made.free();
    await session.end();
  }
}

/** Returns what an order names, for a check of all. */
function namedIn({ object, mode }: TreeOrder): { readonly oid: string; readonly type: ObjectType }[] {
  return typeof object !== "string" || isGitlink(mode) ? [] : [{ oid: object, type: typeOfMode(mode) }];
}

/** Makes a tree of entries, on top of another tree, or a commit's, if one is named. Paths may lead into directories. */
export async function makeTree(
  exchange: MakingExchange,
  base: string | undefined,
  orders: readonly TreeOrder[],
): Promise<MadeObject> {
  return await making(exchange, async (made) => {
    const { rawSize } = made.session.format;
    await made.assertHere(orders.flatMap((order) => namedIn(order)));
    const name = base === undefined ? undefined : fromHex(base);
    if (base !== undefined && name?.length !== rawSize) throw new Refusal("base_tree is no name of a tree");
    const root = name === undefined ? new Directory(rawSize) : await made.openTree(await made.treeOf(name));
    for (const { path, mode, object } of orders) {
      await made.pace(pathSteps(path));
      const checked = checkPath(path, mode);
      if ("fault" in checked) throw new Refusal(`path ${JSON.stringify(path.slice(0, 200))} ${checked.fault}`);
      const names = checked.path.split("/");
      const last = names.pop() ?? ""; // A split text has a last part.
      const directory = await made.directoryOf(root, names, object !== null);
      if (directory === undefined) continue; // What is to be taken away is not there.
      directory.children.delete(last);
      if (object === null) directory.remove(last);
      else if (typeof object === "string") directory.set(last, { mode, oid: made.rawName(object) });
      else directory.set(last, { mode, oid: await made.add("blob", object) });
    }
    return await made.write(root);
  });
}

/** Makes a commit. */
export async function makeCommitObject(exchange: MakingExchange, order: CommitFields): Promise<MadeObject> {
  const { tree, parents } = order;
  return await making(exchange, async (made) => {
    await made.assertHere([{ oid: tree, type: "tree" }, ...parents.map((oid) => ({ oid, type: "commit" }) as const)]);
    return await made.add("commit", await made.session.signed("commit", encodeCommit(order)));
  });
}

/** Makes an annotated tag, and no ref for it. */
export async function makeTagObject(exchange: MakingExchange, order: TagFields): Promise<MadeObject> {
  const { object, type } = order;
  return await making(exchange, async (made) => {
    await made.assertHere([{ oid: object, type }]);
    return await made.add("tag", await made.session.signed("tag", encodeTag(order)));
  });
}
