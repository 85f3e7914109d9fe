/**
 * Checks the blobs that git reads by itself: `.gitmodules` and `.gitattributes`. Which blobs these are, trees say.
 *
 * @packageDocumentation
 * @see git-fsck(1), gitmodules(5), gitattributes(5)
 */
import { u8OrNul } from "../bytes/assert.ts";
import { bytesOf } from "./byte-text.ts";
import { readConfig, type ConfigVariable } from "./config-syntax.ts";
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

function variableFinding(variable: ConfigVariable): FsckFinding | undefined {
  const match = /^submodule\.(.*)\.([^.]*)$/s.exec(upToNul(variable.name));
  if (!match) return undefined;
  const [, name = "", key = ""] = match;
  if (!isSubmoduleName(name)) return finding("gitmodulesName", shown(name));
  return variable.value === undefined ? undefined : settingFinding(key, upToNul(variable.value));
}

/** Checks a `.gitmodules`. @returns the first finding that refuses it, `undefined` where nothing does. */
export function fsckGitmodules(bytes: Uint8Array): FsckFinding | undefined {
  let found: FsckFinding | undefined;
  const isWhole = readConfig(bytes, (variable) => {
    found ??= variableFinding(variable);
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
