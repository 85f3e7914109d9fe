/**
 * Checks the blobs that git reads by itself: `.gitmodules` and `.gitattributes`. Trees tell which blobs these are.
 *
 * @packageDocumentation
 * @see git-fsck(1), gitmodules(5), gitattributes(5)
 */
import { u8OrNul } from "../bytes/assert.ts";
import { bytesOf } from "./byte-text.ts";
import { type ConfigSection, type ConfigVariable, readConfigInParts } from "./config-syntax.ts";
import { finding, type FsckFinding } from "./fsck-rule.ts";
import type { AttachedFile } from "./fsck-tree.ts";
import { isSubmoduleName, isSubmoduleUrl, looksLikeOption } from "./submodule-url.ts";

/** Git does not read a `.gitattributes` of more bytes than this. */
const MAX_ATTRIBUTES_BYTES = 100 * 1024 * 1024;
/** Git does not read a line of `.gitattributes` of this many bytes or more. */
const MAX_ATTRIBUTES_LINE_BYTES = 2048;

const LF = 10;

/** Returns the text up to its first NUL, as a C string has it. */
function upToNul(text: string): string {
  const nul = text.indexOf("\0");
  return nul < 0 ? text : text.slice(0, nul);
}

/** Bytes of a value that a finding repeats: a report of a push is one line of the protocol. */
const MOST_SHOWN = 500;

const shown = (text: string): string => new TextDecoder().decode(bytesOf(text.slice(0, MOST_SHOWN)));

/** Returns the finding against one setting of a submodule, if any. */
function settingFinding(key: string, value: string): FsckFinding | undefined {
  if (key === "url" && !isSubmoduleUrl(value)) return finding("gitmodulesUrl", shown(value));
  if (key === "path" && looksLikeOption(value)) return finding("gitmodulesPath", shown(value));
  if (key === "update" && value.startsWith("!")) return finding("gitmodulesUpdate", shown(value));
  return undefined;
}

/** The submodule that a section of `.gitmodules` is about. */
type Submodule = {
  readonly name: string;
  readonly isNamed: boolean;
  /** The key of all variables of the section, if a NUL in its name hides what each of them is called. */
  readonly key: string | undefined;
};

/** Returns the submodule that a section is about; `undefined` if it is not about one. */
function submoduleOf(section: ConfigSection): Submodule | undefined {
  const text = upToNul(section.name);
  if (!text.startsWith(SUBMODULE)) return undefined;
  const isCut = text.length < section.name.length;
  const end = isCut ? text.lastIndexOf(".") : text.length;
  // Git needs the section's own name and its key to be two parts.
  if (end < SUBMODULE.length) return undefined;
  const name = text.slice(SUBMODULE.length, end);
  return { name, isNamed: isSubmoduleName(name), key: isCut ? text.slice(end + 1) : undefined };
}

const SUBMODULE = "submodule.";

/** Judges variables one after the other. A section's name is examined once, however many variables it has. */
class ModulesJudge {
  #section: ConfigSection | undefined;
  #submodule: Submodule | undefined;

  /** Returns the finding against a variable, if any. */
  findingOf({ section, key, value }: ConfigVariable): FsckFinding | undefined {
    if (section !== this.#section) {
      this.#section = section;
      this.#submodule = section && submoduleOf(section);
    }
    const submodule = this.#submodule;
    if (submodule === undefined) return undefined;
    if (!submodule.isNamed) return finding("gitmodulesName", shown(submodule.name));
    return value === undefined ? undefined : settingFinding(submodule.key ?? key, upToNul(value));
  }
}

/** Checks a `.gitmodules`, and yields after each part. @returns the first finding that refuses it; `undefined` if there is none. */
export function* fsckGitmodules(bytes: Uint8Array): Generator<void, FsckFinding | undefined> {
  const judge = new ModulesJudge();
  let found: FsckFinding | undefined;
  const isWhole = yield* readConfigInParts(bytes, (variable) => {
    found ??= judge.findingOf(variable);
  });
  return found ?? (isWhole ? undefined : finding("gitmodulesParse"));
}

/** Checks a `.gitattributes`. @returns the first finding that refuses it; `undefined` if there is none. */
export function fsckGitattributes(bytes: Uint8Array): FsckFinding | undefined {
  if (bytes.length > MAX_ATTRIBUTES_BYTES) return finding("gitattributesLarge");
  let lineAt = 0;
  for (let at = 0; at <= bytes.length; at++) {
    const byte = u8OrNul(bytes, at);
    if (byte !== LF && byte !== 0) continue;
    if (at - lineAt >= MAX_ATTRIBUTES_LINE_BYTES) return finding("gitattributesLineLength");
    // To git this is a C string: it does not read beyond a NUL.
    if (byte === 0) return undefined;
    lineAt = at + 1;
  }
  return undefined;
}

/**
 * Checks a blob that a tree names like a file that git reads. It yields after each part of a long one, so that others can be
 * served in between. `undefined` for `bytes` stands for a blob too large to be held.
 *
 * @returns the first finding that refuses it; `undefined` if there is none.
 */
export function* fsckAttachedBlob(
  file: AttachedFile,
  bytes: Uint8Array | undefined,
): Generator<void, FsckFinding | undefined> {
  if (bytes === undefined) return finding(`${file}Large`);
  return file === "gitmodules" ? yield* fsckGitmodules(bytes) : fsckGitattributes(bytes);
}
