/**
 * Applies a patch to the files of a tree, and makes the actions of a commit of it. A patch of several files, or mails one
 * after the other, may change a file more than once; each change finds what those before have left.
 *
 * @packageDocumentation
 * @see git-apply(1)
 */
import { LimitExceeded, ObjectRejected } from "../../bytes/failure.ts";
import { fromHex, toHex } from "../../bytes/hex.ts";
import { applyHunks, linesOf } from "../../diff/apply-hunks.ts";
import type { BinaryChange, FilePatch } from "../../diff/parse-patch.ts";
import { bytesOf, textOf } from "../../object/byte-text.ts";
import { FILE_MODE, isGitlink, isRegular, isSymlink, isTree } from "../../object/tree.ts";
import type { GraphSession } from "../../graph/graph-session.ts";
import type { FileAction } from "./file-action.ts";
import { checkBytePath } from "./file-path.ts";
import type { NewObjects } from "./new-objects.ts";
import type { TreeEdit } from "./tree-edit.ts";

/** Steps of one patch: comparisons of lines. */
const MOST_STEPS = 100_000_000;
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

/** A file as the patch has left it so far; content has one character per byte. */
type Version = { readonly mode: number; readonly content: string };
type Refusal = Pick<RefusedPatch, "detail" | "hunk">;

/** Where a patch finds files, and puts new ones. */
export type PatchSources = {
  readonly edit: TreeEdit;
  readonly graph: GraphSession;
  readonly objects: NewObjects;
  readonly pace: (steps: number) => Promise<void>;
};

/** Returns the paths that a patch is about. */
export function pathsOf(files: readonly FilePatch[]): string[] {
  return files.flatMap(({ oldPath, newPath }) => [oldPath, newPath].flatMap((path) => path ?? []));
}

/** Applies a patch. Returns the actions that do what it does, or what does not apply. */
export async function patchActions(
  files: readonly FilePatch[],
  sources: PatchSources,
): Promise<readonly FileAction[] | RefusedPatch> {
  const patching = new Patching(sources);
  for (const [index, file] of files.entries()) {
    const refusal = await patching.apply(file);
    const path = file.newPath ?? file.oldPath ?? ""; // A change has a path.
    if (refusal !== undefined) return { index, path, line: file.line, ...refusal };
  }
  return await patching.actions();
}

class Patching {
  readonly #sources: PatchSources;
  /** The files that were changed; `undefined` for those that are gone. */
  readonly #changed = new Map<string, Version | undefined>();
  #steps = 0;

  constructor(sources: PatchSources) {
    this.#sources = sources;
  }

  async apply(file: FilePatch): Promise<Refusal | undefined> {
    const { oldPath, newPath, newMode } = file;
    const old = oldPath === undefined ? undefined : await this.#read(oldPath);
    const refusal = pathRefusal(file) ?? oldRefusal(file, old) ?? (await this.#newRefusal(file));
    if (refusal !== undefined) return refusal;
    const before = old === undefined ? "" : old.content;
    const content = await this.#content(file, before);
    if (typeof content !== "string") return content;
    if (newPath === undefined && content !== "") return { detail: "the file has more than the patch deletes" };
    if (oldPath !== undefined && !file.isCopy) this.#changed.set(oldPath, undefined);
    const mode = newMode ?? old?.mode ?? FILE_MODE.file;
    if (newPath !== undefined) this.#changed.set(newPath, { mode, content });
    return undefined;
  }

  async #newRefusal({ oldPath, newPath }: FilePatch): Promise<Refusal | undefined> {
    if (newPath === undefined || newPath === oldPath) return undefined;
    return (await this.#read(newPath)) === undefined ? undefined : { detail: "the file exists already" };
  }

  /** Returns what was done, first what makes room. */
  async actions(): Promise<FileAction[]> {
    const deletions: FileAction[] = [];
    const writes: FileAction[] = [];
    for (const [path, version] of this.#changed) {
      if (version !== undefined)
        writes.push({ kind: "write", path, mode: version.mode, oid: await this.#objectOf(version) });
      else if (this.#sources.edit.entryAt(path) !== undefined) deletions.push({ kind: "delete", path });
    }
    return [...deletions, ...writes];
  }

  async #objectOf({ mode, content }: Version): Promise<Uint8Array> {
    if (!isGitlink(mode)) return await this.#sources.objects.add("blob", bytesOf(content));
    const oid = fromHex(SUBPROJECT.exec(content)?.[1] ?? ""); // No name is no name.
    if (oid?.length !== this.#sources.graph.format.rawSize)
      throw new ObjectRejected("a submodule in the patch has no commit");
    return oid;
  }

  async #read(path: string): Promise<Version | undefined> {
    if (this.#changed.has(path)) return this.#changed.get(path);
    const { edit, graph } = this.#sources;
    const entry = edit.entryAt(path);
    if (entry === undefined || isTree(entry.mode)) return undefined;
    if (isGitlink(entry.mode)) return { mode: entry.mode, content: `Subproject commit ${toHex(entry.oid)}\n` };
    const { bytes } = await graph.reader.readCopy(entry.oid);
    await this.#count(bytes.length);
    return { mode: entry.mode, content: textOf(bytes) };
  }

  async #content({ hunks, binary, oldOid }: FilePatch, old: string): Promise<string | Refusal> {
    if (binary !== undefined) return await this.#binary(binary, old, oldOid);
    if (hunks.length === 0) return old;
    const lines = await applyHunks(linesOf(old), hunks, async (steps) => await this.#count(steps));
    if (typeof lines !== "number") return lines.join("");
    const at = hunks[lines - 1]?.line ?? 0; // The hunk is one of them.
    return { hunk: lines, detail: `hunk ${lines} (line ${at} of the patch) does not apply` };
  }

  /** Makes the new content of a binary file, of which the old one has to be exactly what the patch was made from. */
  async #binary(
    { kind, size, deflated }: BinaryChange,
    old: string,
    oldOid: string | undefined,
  ): Promise<string | Refusal> {
    const { graph, objects } = this.#sources;
    const { hexSize } = graph.format;
    const known = oldOid !== undefined && !/^0+$/.test(oldOid);
    if (known && oldOid.length !== hexSize)
      return { detail: "a binary file needs full names: make the patch with --binary" };
    if (known && toHex(await objects.nameOf("blob", bytesOf(old))) !== oldOid) {
      return { detail: "the binary file is not the one that the patch changes" };
    }
    const inflated = inflate(graph, deflated, size);
    if (inflated === undefined) return { detail: "the binary content is broken" };
    if (kind === "literal") return textOf(inflated);
    const applied = applyDelta(graph, bytesOf(old), inflated);
    return applied === undefined ? { detail: "the binary delta does not apply" } : textOf(applied);
  }

  async #count(steps: number): Promise<void> {
    this.#steps += steps;
    if (this.#steps > MOST_STEPS)
      throw new LimitExceeded("patch-steps", MOST_STEPS, "the patch takes too much work to apply");
    await this.#sources.pace(steps);
  }
}

function pathRefusal(file: FilePatch): Refusal | undefined {
  for (const path of pathsOf([file])) {
    const checked = checkBytePath(path, file.newMode ?? FILE_MODE.file);
    if ("fault" in checked) return { detail: `the path ${checked.fault}` };
  }
  return undefined;
}

function oldRefusal({ oldPath, oldMode }: FilePatch, old: Version | undefined): Refusal | undefined {
  if (oldPath === undefined) return undefined;
  if (old === undefined) return { detail: "there is no such file" };
  const isOther = oldMode !== undefined && !isSameType(old.mode, oldMode);
  return isOther ? { detail: "the file is of another type" } : undefined;
}

function isSameType(a: number, b: number): boolean {
  return isRegular(a) === isRegular(b) && isSymlink(a) === isSymlink(b) && isGitlink(a) === isGitlink(b);
}

/** Inflates in the kernel; `undefined` if the stream is not whole, or not of this size, or too large to be held. */
function inflate({ inflating }: GraphSession, deflated: Uint8Array, size: number): Uint8Array | undefined {
  if (size > inflating.wholeBytes)
    throw new LimitExceeded(
      "whole-object-bytes",
      inflating.wholeBytes,
      `a binary file of ${size} bytes is too large for a patch`,
    );
  try {
    const inflation = inflating.startInflating(size);
    if (!inflating.inflateMore(inflation, deflated)) return undefined;
    return inflating.bytes(inflation.held).slice();
  } catch {
    return undefined;
  }
}

function applyDelta({ inflating }: GraphSession, base: Uint8Array, delta: Uint8Array): Uint8Array | undefined {
  try {
    const held = inflating.hold(base);
    return inflating.bytes(inflating.applyDelta(held, inflating.hold(delta))).slice();
  } catch (error) {
    if (error instanceof ObjectRejected) return undefined;
    throw error;
  }
}
