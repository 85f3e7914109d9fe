/**
 * Applies the actions of a commit to a tree, one after the other, each to what the actions before have left. Only the
 * directories on the way to the paths are read and written.
 *
 * @packageDocumentation
 */
import { concat } from "../../bytes/chunk.ts";
import { LimitExceeded } from "../../bytes/failure.ts";
import type { RequestMemory } from "../../bytes/memory-budget.ts";
import { FILE_MODE, isGitlink, isRegular, isTree } from "../../object/tree.ts";
import type { ObjectReader } from "../../store/object-reader.ts";
import { Directory, type Entry } from "./directory.ts";
import type { FileAction, RefusedAction } from "./file-action.ts";
import { pathSteps } from "./file-path.ts";
import type { NewObjects } from "./new-objects.ts";

/** Directories that one commit may touch, and bytes of their trees. */
const MOST_DIRECTORIES = 20_000;
const MOST_DIRECTORY_BYTES = 24 * 1024 * 1024;
/** Steps of opening a directory, of one byte of it, and of one that is written, or of an action. */
const DIRECTORY_STEPS = 500;
const BYTE_STEPS = 2;
/** Steps of a path that leads through a directory which is opened. */
const WAY_STEPS = 20;

/** Where trees are read. */
export type TreeSource = {
  readonly reader: Pick<ObjectReader, "prefetch" | "readCopy">;
  readonly rawSize: number;
  readonly memory: Pick<RequestMemory, "hold">;
  readonly pace: (steps: number) => Promise<void>;
};

/** A name in a directory that may not be there yet. */
type Place = { readonly directory: Directory; readonly name: string };

/** Why something can't be done. */
type Refusal = Omit<RefusedAction, "index">;

function refuse(member: Refusal["member"], detail: string): Refusal {
  return { member, detail };
}

/** A tree under change. Call {@link TreeEdit.free} at its end. */
export class TreeEdit {
  readonly #source: TreeSource;
  readonly #root: Directory;
  readonly #tree: Uint8Array | undefined;
  /** Paths that an action wrote. */
  readonly #written = new Set<string>();
  #directories = 0;
  #heldBytes = 0;

  private constructor(source: TreeSource, root: Directory, tree: Uint8Array | undefined) {
    this.#source = source;
    this.#root = root;
    this.#tree = tree;
    this.#account(root);
  }

  /** Opens a tree by its raw name, or nothing, with the directories on the way to these paths. */
  static async open(source: TreeSource, tree: Uint8Array | undefined, paths: readonly string[]): Promise<TreeEdit> {
    const { reader, rawSize } = source;
    const bytes = tree === undefined ? undefined : (await reader.readCopy(tree)).bytes;
    const edit = new TreeEdit(source, new Directory(rawSize, bytes, tree), tree);
    try {
      await edit.#openTo(paths);
      return edit;
    } catch (error) {
      edit.free();
      throw error;
    }
  }

  /** Applies the actions. Returns the first that can't be applied, with its index; nothing may be written then. */
  async apply(actions: readonly FileAction[]): Promise<RefusedAction | undefined> {
    for (const [index, action] of actions.entries()) {
      const refusal = this.#apply(action);
      if (refusal !== undefined) return { index, ...refusal };
      await this.#source.pace(DIRECTORY_STEPS + pathSteps(action.path));
    }
    return undefined;
  }

  /** Adds the changed trees to the new objects, and returns the raw name of the whole. */
  async write(objects: NewObjects): Promise<Uint8Array> {
    return (await this.#write(this.#root, objects)) ?? this.#tree ?? (await this.#add(this.#root, objects));
  }

  /** Yields the raw names of the objects at the paths that were written. */
  async *writtenObjects(): AsyncGenerator<Uint8Array> {
    for (const path of this.#written) {
      const entry = this.entryAt(path);
      await this.#source.pace(DIRECTORY_STEPS + pathSteps(path));
      if (entry !== undefined) yield entry.oid;
    }
  }

  /** Gives back what is held. */
  free(): void {
    this.#source.memory.hold(-this.#heldBytes);
    this.#heldBytes = 0;
  }

  /** Opens the directories that there are on the way to the paths, level by level, so that those of a level come at once. */
  async #openTo(paths: readonly string[]): Promise<void> {
    const ways: string[][] = [];
    for (const path of paths) {
      ways.push(path.split("/"));
      await this.#source.pace(pathSteps(path));
    }
    let level: (readonly [Directory, string[][]])[] = [[this.#root, ways]];
    for (let depth = 0; level.length > 0; depth++) {
      const wanted: Subdirectory[] = [];
      for (const [directory, below] of level) {
        wanted.push(...subdirectories(directory, below, depth));
        await this.#source.pace(below.length * WAY_STEPS);
      }
      const { reader, rawSize } = this.#source;
      if (wanted.length > 1) await reader.prefetch(concat(wanted.map(({ oid }) => oid)));
      level = [];
      for (const { parent, name, oid, below } of wanted) {
        const child = new Directory(rawSize, (await reader.readCopy(oid)).bytes, oid);
        this.#account(child);
        parent.children.set(name, child);
        level.push([child, below]);
        await this.#source.pace(DIRECTORY_STEPS + child.heldBytes * BYTE_STEPS);
      }
    }
  }

  #account(directory: Directory): void {
    this.#directories++;
    this.#heldBytes += directory.heldBytes;
    this.#source.memory.hold(directory.heldBytes);
    if (this.#directories > MOST_DIRECTORIES) {
      throw new LimitExceeded(
        "written-directories",
        MOST_DIRECTORIES,
        `more than ${MOST_DIRECTORIES} directories change`,
      );
    }
    if (this.#heldBytes > MOST_DIRECTORY_BYTES) {
      throw new LimitExceeded(
        "open-directory-bytes",
        MOST_DIRECTORY_BYTES,
        `the directories that change take more than ${MOST_DIRECTORY_BYTES} bytes`,
      );
    }
  }

  #apply(action: FileAction): Refusal | undefined {
    switch (action.kind) {
      case "write":
        return this.#put(action);
      case "delete":
        return this.#delete(action.path, "path");
      case "move":
        return this.#move(action);
      case "chmod":
        return this.#chmod(action);
    }
  }

  #put(action: Extract<FileAction, { kind: "write" }>): Refusal | undefined {
    const { path, must, oid, mode } = action;
    const place = this.#placeOf(path, true);
    if (!("directory" in place)) return place;
    const before = place.directory.get(place.name);
    const refusal = this.#refusalOf(path, before, must);
    if (refusal !== undefined) return refusal;
    this.#set(path, place, { oid, mode: mode ?? modeLike(before) });
    return undefined;
  }

  #refusalOf(path: string, before: Entry | undefined, must: "exist" | "not-exist" | undefined): Refusal | undefined {
    if (this.#written.has(path)) return refuse("path", "an action before has written this path");
    if (before === undefined) return must === "exist" ? refuse("path", "there is no such file") : undefined;
    if (isTree(before.mode)) return refuse("path", "is a directory");
    if (must === "not-exist") return refuse("path", "exists already");
    return isGitlink(before.mode) && must === "exist" ? refuse("path", "is a submodule") : undefined;
  }

  #delete(path: string, member: "path" | "from"): Refusal | undefined {
    if (this.#written.has(path)) return refuse(member, "an action before has written this path");
    const place = this.#placeOf(path, false);
    if (!("directory" in place)) return { ...place, member };
    const before = place.directory.get(place.name);
    if (before === undefined) return refuse(member, "there is no such file");
    if (isTree(before.mode)) return refuse(member, "is a directory");
    place.directory.remove(place.name);
    this.#prune(path);
    return undefined;
  }

  /** Removes the directories on the way to a path that have become empty: git has none. */
  #prune(path: string): void {
    const way: Place[] = [];
    let directory: Directory | undefined = this.#root;
    for (const name of path.split("/").slice(0, -1)) {
      if (directory === undefined) break;
      way.push({ directory, name });
      directory = directory.children.get(name);
    }
    for (const { directory: parent, name } of way.toReversed()) {
      if (parent.children.get(name)?.count !== 0) return;
      parent.remove(name);
      parent.children.delete(name);
    }
  }

  #move(action: Extract<FileAction, { kind: "move" }>): Refusal | undefined {
    const { from, path, oid, mode } = action;
    const moved = this.entryAt(from);
    const refusal = this.#delete(from, "from");
    if (refusal !== undefined || moved === undefined) return refusal ?? refuse("from", "there is no such file");
    const place = this.#placeOf(path, true);
    if (!("directory" in place)) return place;
    const clash = this.#refusalOf(path, place.directory.get(place.name), "not-exist");
    if (clash !== undefined) return clash;
    this.#set(path, place, { oid: oid ?? moved.oid, mode: mode ?? moved.mode });
    return undefined;
  }

  #chmod({ path, mode }: Extract<FileAction, { kind: "chmod" }>): Refusal | undefined {
    const place = this.#placeOf(path, false);
    if (!("directory" in place)) return place;
    const before = place.directory.get(place.name);
    const refusal = this.#refusalOf(path, before, "exist");
    if (refusal !== undefined || before === undefined) return refusal;
    if (!isRegular(before.mode)) return refuse("path", "is no regular file");
    this.#set(path, place, { oid: before.oid, mode });
    return undefined;
  }

  #set(path: string, { directory, name }: Place, entry: Entry): void {
    directory.set(name, entry);
    this.#written.add(path);
  }

  /** Returns what is at a path, which is one of those that the tree was opened for. */
  entryAt(path: string): Entry | undefined {
    const place = this.#placeOf(path, false);
    return "directory" in place ? place.directory.get(place.name) : undefined;
  }

  /** Finds the directory of a path. `makes`: directories that are missing are made. */
  #placeOf(path: string, makes: boolean): Place | Refusal {
    const names = path.split("/");
    const name = names.pop() ?? ""; // A split text has a last part.
    let directory = this.#root;
    for (const step of names) {
      const entry = directory.get(step);
      const child = directory.children.get(step);
      if (entry !== undefined && !isTree(entry.mode))
        return refuse("path", `${shown(step)} on the way is no directory`);
      if (entry !== undefined && child !== undefined) directory = child;
      else if (makes) directory = this.#make(directory, step);
      else return refuse("path", "there is no such file");
    }
    return { directory, name };
  }

  /** Makes a directory. Its object is known when everything is written; until then it has no name. */
  #make(parent: Directory, name: string): Directory {
    const { rawSize } = this.#source;
    const child = new Directory(rawSize);
    this.#account(child);
    parent.children.set(name, child);
    parent.set(name, { mode: FILE_MODE.tree, oid: new Uint8Array(rawSize) });
    return child;
  }

  /** Writes a directory and what is below it. Returns `undefined` if nothing has changed. */
  async #write(directory: Directory, objects: NewObjects): Promise<Uint8Array | undefined> {
    for (const [name, child] of directory.children) {
      const entry = directory.get(name);
      // A file may have come in its place.
      if (entry === undefined || !isTree(entry.mode)) continue;
      const oid = await this.#write(child, objects);
      if (oid !== undefined) directory.set(name, { mode: entry.mode, oid });
    }
    return directory.isChanged ? await this.#add(directory, objects) : undefined;
  }

  /** Adds the tree of a directory to the new objects, and returns its raw name. */
  async #add(directory: Directory, objects: NewObjects): Promise<Uint8Array> {
    const { pace } = this.#source;
    await pace(DIRECTORY_STEPS);
    const encoding = directory.encode();
    for (let next = encoding.next(); ; next = encoding.next()) {
      if (next.done === true) return await objects.addTree(next.value);
      await pace(next.value);
    }
  }
}

/** The mode of new content: what it was, or that of a file. */
function modeLike(before: Entry | undefined): number {
  return before === undefined || isGitlink(before.mode) ? FILE_MODE.file : before.mode;
}

function shown(name: string): string {
  return JSON.stringify(name);
}

type Subdirectory = {
  readonly parent: Directory;
  readonly name: string;
  readonly oid: Uint8Array;
  readonly below: string[][];
};

/** Returns the subdirectories that these ways lead through, which are at `depth`. */
function subdirectories(parent: Directory, ways: readonly string[][], depth: number): Subdirectory[] {
  const byName = new Map<string, string[][]>();
  for (const way of ways) {
    const name = way[depth];
    if (name === undefined || depth === way.length - 1) continue;
    const list = byName.get(name);
    if (list === undefined) byName.set(name, [way]);
    else list.push(way);
  }
  return [...byName].flatMap(([name, below]) => {
    const entry = parent.get(name);
    return entry === undefined || !isTree(entry.mode) ? [] : [{ parent, name, oid: entry.oid, below }];
  });
}
