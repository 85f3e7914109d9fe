/**
 * Checks the blobs that git reads by itself: `.gitmodules` and `.gitattributes`. Which blobs these are, trees say.
 *
 * @packageDocumentation
 * @see git-fsck(1), gitmodules(5), gitattributes(5)
 */
import { u8OrNul } from "../bytes/assert.ts";
import { bytesOf } from "./byte-text.ts";
import { type ConfigSection, type ConfigVariable, readConfig } from "./config-syntax.ts";
import { finding, type FsckFinding } from "./fsck-rule.ts";
import type { AttachedFile } from "./fsck-tree.ts";
import { isSubmoduleName, isSubmoduleUrl, looksLikeOption } from "./submodule-url.ts";

/** Bytes of a `.gitattributes` beyond which git doesn't read it. */
const MAX_ATTRIBUTES_BYTES = 100 * 1024 * 1024;
/** Bytes of one of its lines from which git doesn't read that. */
const MAX_ATTRIBUTES_LINE_BYTES = 2048;

const LF = 10;

/** Gives text as a C string has it. */
function upToNul(text: string): string {
  const nul = text.indexOf("\0");
  return nul < 0 ? text : text.slice(0, nul);
}

const shown = (text: string): string => new TextDecoder().decode(bytesOf(text));

/** What is wrong with one setting of a submodule. */
function settingFinding(key: string, value: string): FsckFinding | undefined {
  if (key === "url" && !isSubmoduleUrl(value)) return finding("gitmodulesUrl", shown(value));
  if (key === "path" && looksLikeOption(value)) return finding("gitmodulesPath", shown(value));
  if (key === "update" && value.startsWith("!")) return finding("gitmodulesUpdate", shown(value));
  return undefined;
}

/** What a section of `.gitmodules` is about. */
type Submodule = {
  readonly name: string;
  readonly isNamed: boolean;
  /** The key of all variables, where a NUL in the name hides what each of them is called. */
  readonly key: string | undefined;
};

/** Gives the submodule that a section is about; `undefined` where it is about none. */
function submoduleOf(section: ConfigSection): Submodule | undefined {
  const text = upToNul(section.name);
  if (!text.startsWith(SUBMODULE)) return undefined;
  const isCut = text.length < section.name.length;
  const end = isCut ? text.lastIndexOf(".") : text.length;
  // to git the section's own name and its key have to be two
  if (end < SUBMODULE.length) return undefined;
  const name = text.slice(SUBMODULE.length, end);
  return { name, isNamed: isSubmoduleName(name), key: isCut ? text.slice(end + 1) : undefined };
}

const SUBMODULE = "submodule.";

/** Judges variables one after the other. What a section is called is looked at once, however many variables it has. */
class ModulesJudge {
  #section: ConfigSection | undefined;
  #submodule: Submodule | undefined;

  /** What is wrong with a variable. */
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

/** Checks a `.gitmodules`. @returns the first finding that refuses it, `undefined` where nothing does. */
export function fsckGitmodules(bytes: Uint8Array): FsckFinding | undefined {
  const judge = new ModulesJudge();
  let found: FsckFinding | undefined;
  const isWhole = readConfig(bytes, (variable) => {
    found ??= judge.findingOf(variable);
  });
  return found ?? (isWhole ? undefined : finding("gitmodulesParse"));
}

/** Checks a `.gitattributes`. @returns the first finding that refuses it, `undefined` where nothing does. */
export function fsckGitattributes(bytes: Uint8Array): FsckFinding | undefined {
  if (bytes.length > MAX_ATTRIBUTES_BYTES) return finding("gitattributesLarge");
  let lineAt = 0;
  for (let at = 0; at <= bytes.length; at++) {
    const byte = u8OrNul(bytes, at);
    if (byte !== LF && byte !== 0) continue;
    if (at - lineAt >= MAX_ATTRIBUTES_LINE_BYTES) return finding("gitattributesLineLength");
    // To git this is a C string: what follows a NUL is not read.
    if (byte === 0) return undefined;
    lineAt = at + 1;
  }
  return undefined;
}

/** Checks a blob that a tree names like a file that git reads: `undefined` for `bytes` says that it was too large to be held. */
export function fsckAttachedBlob(file: AttachedFile, bytes: Uint8Array | undefined): FsckFinding | undefined {
  if (bytes === undefined) return finding(`${file}Large`);
  return file === "gitmodules" ? fsckGitmodules(bytes) : fsckGitattributes(bytes);
}
