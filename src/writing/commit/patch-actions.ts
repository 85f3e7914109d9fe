/**
 * Applies a patch to the files of a tree, and makes the actions of a commit of it. Mails one after the other are patches
 * one after the other: each finds what those before have left. Within one, files are changed as git applies it.
 *
 * @packageDocumentation
 * @see git-apply(1); `previous_patch()`, `check_patch()`, `write_out_results()` in git's apply.c
 */
import { present } from "../../bytes/assert.ts";
import { LimitExceeded } from "../../bytes/failure.ts";
import { fromHex, toHex } from "../../bytes/hex.ts";
import { applyHunks } from "../../diff/apply-hunks.ts";
import { type BinaryChange, type FilePatch, type Hunk, type Patch, readHunk } from "../../diff/parse-patch.ts";
import { bytesOf, textOf } from "../../object/byte-text.ts";
import { canonicalMode, FILE_MODE, isGitlink, isRegular, isSymlink, isTree } from "../../object/tree.ts";
import type { GraphSession } from "../../graph/graph-session.ts";
import type { FileAction } from "./file-action.ts";
import { checkBytePath, pathSteps } from "./file-path.ts";
import type { NewObjects } from "./new-objects.ts";
import { applyDelta, type ContentCount, inflate, PatchContents } from "./patch-content.ts";
import type { TreeEdit } from "./tree-edit.ts";

/** Steps of one patch: comparisons of lines. */
const MOST_STEPS = 100_000_000;
/** Steps of a file, beside those of its content. */
const FILE_STEPS = 2000;
/** How often each of its paths is gone along: it is checked, and what is there is looked up, here and at the end. */
const PATH_LOOKS = 4;
/** A submodule in a patch. */
const SUBPROJECT = /^Subproject commit ([0-9a-f]+)\n?$/;

/** A change that does not apply: the number of its file from 0, and of the hunk from 1, if it is one. */
export type RefusedPatch = {
  readonly index: number;
  readonly path: string;
  readonly line: number;
  readonly hunk?: number;
  readonly detail: string;
};

/** A file as the patch has left it so far. Its content is an object, and `size` that of one that is new. */
type Version = { readonly mode: number; readonly oid: Uint8Array; readonly size?: number };
type Refusal = Pick<RefusedPatch, "detail" | "hunk">;
/** What a patch has made of a path so far, for the changes that follow in it. */
type Left = Version | "moved" | undefined;

/** Where a patch finds files, and puts new ones. */
export type PatchSources = {
  readonly edit: TreeEdit;
  readonly graph: GraphSession;
  readonly objects: NewObjects;
  readonly memory: ContentCount["memory"];
  readonly pace: (steps: number) => Promise<void>;
};

/** Returns the paths that a patch is about. */
export function pathsOf(files: readonly FilePatch[]): string[] {
  return files.flatMap(({ oldPath, newPath }) => [oldPath, newPath].flatMap((path) => path ?? []));
}

/** Applies a patch. Returns the actions that do what it does, or what does not apply. */
export async function patchActions(
  { text, files }: Patch,
  sources: PatchSources,
): Promise<readonly FileAction[] | RefusedPatch> {
  const patching = new Patching(sources, text);
  for (let index = 0; index < files.length;) {
    const { mail } = present(files[index], "the file");
    let end = index;
    while (files[end]?.mail === mail) end++;
    patching.begin(files.slice(index, end));
    for (; index < end; index++) {
      const file = present(files[index], "the file");
      const refusal = await patching.apply(file);
      const path = file.newPath ?? file.oldPath ?? ""; // A change has a path.
      if (refusal !== undefined) return { index, path, line: file.line, ...refusal };
    }
    patching.end();
  }
  return patching.actions();
}

class Patching {
  readonly #sources: PatchSources;
  readonly #text: string;
  readonly #contents: PatchContents;
  /** The files that earlier mails have changed; `undefined` for those that are gone. */
  readonly #before = new Map<string, Version | undefined>();
  /** What this mail takes away, and what it writes then, whatever the order of its files. */
  #removed = new Set<string>();
  #written = new Map<string, Version>();
  /** What the files of this mail have left, and the paths that one of them will leave. */
  #left = new Map<string, Left>();
  #leaving = new Set<string>();
  #steps = 0;

  constructor(sources: PatchSources, text: string) {
    this.#sources = sources;
    this.#text = text;
    this.#contents = new PatchContents(sources);
  }

  /** Begins a patch of these files. */
  begin(files: readonly FilePatch[]): void {
    [this.#removed, this.#written, this.#left] = [new Set(), new Map(), new Map()];
    const leaving = files.filter(({ newPath, isRename }) => newPath === undefined || isRename);
    this.#leaving = new Set(leaving.flatMap(({ oldPath }) => oldPath ?? []));
  }

  async apply(file: FilePatch): Promise<Refusal | undefined> {
    const { oldPath, isCopy, isRename } = file;
    await this.#count(FILE_STEPS);
    for (const path of pathsOf([file])) await this.#sources.pace(PATH_LOOKS * pathSteps(path));
    const old = oldPath === undefined ? undefined : this.#old(oldPath, isCopy || isRename);
    const refusal = pathRefusal(file) ?? oldRefusal(file, old) ?? this.#newRefusal(file);
    if (refusal !== undefined || old === "moved") return refusal;
    const made = await this.#make(file, old);
    if ("detail" in made) return made;
    this.#leave(file, made);
    return undefined;
  }

  #leave({ oldPath, newPath, isCopy, isRename }: FilePatch, made: Version): void {
    if (newPath !== undefined) {
      this.#written.set(newPath, made);
      this.#left.set(newPath, made);
    }
    if (oldPath === undefined || isCopy) return;
    this.#removed.add(oldPath);
    if (isRename || oldPath !== newPath) this.#left.set(oldPath, "moved");
  }

  /** Ends a patch: the next one finds what it has left. */
  end(): void {
    for (const path of this.#removed) this.#before.set(path, undefined);
    for (const [path, version] of this.#written) this.#before.set(path, version);
  }

  /** Returns what was done, first what makes room. */
  actions(): FileAction[] {
    const deletions: FileAction[] = [];
    const writes: FileAction[] = [];
    for (const [path, version] of this.#before) {
      if (version !== undefined) writes.push({ kind: "write", path, mode: version.mode, oid: version.oid });
      else if (this.#stored(path) !== undefined) deletions.push({ kind: "delete", path });
    }
    return [...deletions, ...writes];
  }

  /** Returns a file as it was before this patch, in which files are copied and renamed whatever the order. */
  #original(path: string): Version | undefined {
    return this.#before.has(path) ? this.#before.get(path) : this.#stored(path);
  }

  #old(path: string, isSource: boolean): Left {
    return isSource || !this.#left.has(path) ? this.#original(path) : this.#left.get(path);
  }

  #stored(path: string): Version | undefined {
    const entry = this.#sources.edit.entryAt(path);
    if (entry === undefined || isTree(entry.mode)) return undefined;
    return { mode: canonicalMode(entry.mode), oid: entry.oid };
  }

  #newRefusal({ oldPath, newPath, isRename, isCopy }: FilePatch): Refusal | undefined {
    if (newPath === undefined) {
      const isWritten = oldPath !== undefined && this.#written.has(oldPath);
      return isWritten ? { detail: "the patch changes the file above, and deletes it here" } : undefined;
    }
    if (newPath === oldPath && !isRename && !isCopy) return undefined;
    if (this.#written.has(newPath)) return { detail: "the patch makes the file twice" };
    const makesRoom = this.#left.get(newPath) === "moved" || this.#leaving.has(newPath);
    return this.#original(newPath) === undefined || makesRoom ? undefined : { detail: "the file exists already" };
  }

  /** Makes a file of what it was. Its content is written at once, so that one is held at a time. */
  async #make(file: FilePatch, old: Version | undefined): Promise<Version | Refusal> {
    const { hunks, binary, newPath } = file;
    const mode = file.newMode ?? old?.mode ?? FILE_MODE.file;
    const isSame = hunks.length === 0 && binary === undefined;
    if (isSame && old !== undefined && newPath !== undefined) return { ...old, mode };
    const { objects, graph } = this.#sources;
    try {
      const before = old === undefined ? new Uint8Array(0) : await this.#read(old);
      const content = isSame ? before : await this.#content(file, before);
      if ("detail" in content) return content;
      if (newPath === undefined) return deleted(content);
      if (isGitlink(mode)) return linked(content, graph.format.rawSize);
      return { mode, oid: await objects.add("blob", content), size: content.length };
    } finally {
      this.#contents.free();
    }
  }

  async #read({ mode, oid, size }: Version): Promise<Uint8Array> {
    if (isGitlink(mode)) return bytesOf(`Subproject commit ${toHex(oid)}\n`);
    const { graph, objects } = this.#sources;
    const deflated = size === undefined ? undefined : objects.deflatedOf(oid, size);
    if (size === undefined || deflated === undefined) {
      const { bytes } = await graph.reader.readCopy(oid);
      await this.#contents.hold(bytes.length);
      return bytes;
    }
    await this.#contents.hold(size);
    return present(inflate(graph, deflated, size), "the content");
  }

  async #content(file: FilePatch, old: Uint8Array): Promise<Uint8Array | Refusal> {
    if (file.binary !== undefined) return await this.#binary(file, file.binary, old);
    const count = async (steps: number): Promise<void> => await this.#count(steps);
    const lines = await applyHunks(await this.#contents.linesOf(old), this.#hunks(file), count);
    if (typeof lines !== "number") return await this.#contents.joined(lines);
    const at = present(file.hunks[lines - 1], "the hunk").line;
    return { hunk: lines, detail: `hunk ${lines} (line ${at} of the patch) does not apply` };
  }

  async *#hunks({ hunks }: FilePatch): AsyncGenerator<Hunk> {
    for (const hunk of hunks) yield await this.#contents.lasting(readHunk(this.#text, hunk), hunk.to - hunk.from);
  }

  /** Makes the new content of a binary file, of which the old one has to be exactly what the patch was made from. */
  async #binary(
    { oldOid = "", newOid = "", oldPath, reverse }: FilePatch,
    { kind, size, deflated }: BinaryChange,
    old: Uint8Array,
  ): Promise<Uint8Array | Refusal> {
    const { graph, objects } = this.#sources;
    const nameOf = async (bytes: Uint8Array): Promise<string> => toHex(await objects.nameOf("blob", bytes));
    const { hexSize } = graph.format;
    if (![oldOid, newOid].every((oid) => oid.length === hexSize && fromHex(oid) !== undefined))
      return { detail: "a binary file needs full names: make the patch with --binary" };
    if (oldPath !== undefined && (await nameOf(old)) !== oldOid.toLowerCase())
      return { detail: "the binary file is not the one that the patch changes" };
    if (/^0+$/.test(newOid)) return new Uint8Array(0);
    await this.#contents.hold(size);
    const inflated = inflate(graph, deflated, size);
    if (inflated === undefined || (await this.#isBroken(reverse))) return { detail: "the binary content is broken" };
    const made = kind === "literal" ? inflated : applyDelta(graph, old, inflated);
    if (made === undefined) return { detail: "the binary delta does not apply" };
    if (kind === "delta") await this.#contents.hold(made.length);
    return (await nameOf(made)) === newOid.toLowerCase()
      ? made
      : { detail: "the binary content is not what the patch says" };
  }

  /** Whether there is a way back of a binary change, and it is not whole. */
  async #isBroken(reverse: BinaryChange | undefined): Promise<boolean> {
    if (reverse === undefined) return false;
    await this.#contents.hold(reverse.size);
    return inflate(this.#sources.graph, reverse.deflated, reverse.size) === undefined;
  }

  async #count(steps: number): Promise<void> {
    this.#steps += steps;
    if (this.#steps > MOST_STEPS)
      throw new LimitExceeded("patch-steps", MOST_STEPS, "the patch takes too much work to apply");
    await this.#sources.pace(steps);
  }
}

/** The end of a file: all of it has to be gone. */
function deleted(content: Uint8Array): Version | Refusal {
  if (content.length > 0) return { detail: "the file has more than the patch deletes" };
  return { mode: 0, oid: new Uint8Array(0) };
}

function linked(content: Uint8Array, rawSize: number): Version | Refusal {
  const oid = content.length > 200 ? undefined : fromHex(SUBPROJECT.exec(textOf(content))?.[1] ?? ""); // No name is no name.
  if (oid?.length !== rawSize) return { detail: "a submodule in the patch has no commit" };
  return { mode: FILE_MODE.gitlink, oid };
}

function pathRefusal(file: FilePatch): Refusal | undefined {
  for (const path of pathsOf([file])) {
    const checked = checkBytePath(path, file.newMode ?? FILE_MODE.file);
    if ("fault" in checked) return { detail: `the path ${checked.fault}` };
  }
  return undefined;
}

function oldRefusal({ oldPath, oldMode, newMode }: FilePatch, old: Left): Refusal | undefined {
  if (oldPath === undefined) return undefined;
  if (old === undefined) return { detail: "there is no such file" };
  if (old === "moved") return { detail: "the patch has renamed or deleted the file above" };
  const isOther = [oldMode, newMode].some((mode) => mode !== undefined && !isSameType(old.mode, mode));
  return isOther ? { detail: "the file is of another type" } : undefined;
}

function isSameType(a: number, b: number): boolean {
  return isRegular(a) === isRegular(b) && isSymlink(a) === isSymlink(b) && isGitlink(a) === isGitlink(b);
}
