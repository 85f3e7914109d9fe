/**
 * The arguments of `git archive`, as far as they can be asked of a host.
 *
 * @packageDocumentation
 * @see git-archive(1)
 */
import type { ArchiveFormat } from "./archive.ts";
import { parseRevision, type RevisionSyntax } from "./revision-syntax.ts";

/** What an archive is to be made of. */
export type ArchiveArguments = {
  readonly kind: "archive";
  readonly format: ArchiveFormat;
  /** The beginning of all paths, one character per byte. */
  readonly prefix: string;
  readonly revision: RevisionSyntax;
  /** The revision as it was given, one character per byte. */
  readonly named: string;
  /** The paths that are wanted, without slashes at their ends; all if there are none. */
  readonly paths: readonly string[];
};

/** What was asked for in place of an archive, or why none can be made. */
export type OtherAnswer = { readonly kind: "list" } | { readonly kind: "wrong"; readonly why: string };

const FORMATS: ReadonlyMap<string, ArchiveFormat> = new Map([
  ["tar", "tar"],
  ["tgz", "tar.gz"],
  ["tar.gz", "tar.gz"],
  ["zip", "zip"],
]);
/** Options that change nothing here: archives are compressed as they are. */
const PASSED_OVER = /^(?:-[0-9]|-v|--verbose|--no-verbose)$/;
/** The most characters of a prefix. */
const MOST_PREFIX = 1024;

/** The names of the formats, as `git archive --list` prints them. */
export const FORMAT_NAMES: readonly string[] = [...FORMATS.keys()];

/** Whether paths that begin with `prefix` stay in the directory in which an archive is unpacked, on every system. */
export function isSafePrefix(prefix: string): boolean {
  // The archive may be unpacked on a system where a backslash is a slash and a colon follows a drive.
  const isAbsolute = /^[/\\]|^[a-z]:/i.test(prefix);
  const isBad = prefix.length > MOST_PREFIX || isAbsolute || Array.from(prefix).some((c) => c < " " || c === "\x7f");
  return !isBad && !prefix.split(/[/\\]/).some((part) => part === ".." || part.toLowerCase() === ".git");
}

type Options = { format: string; prefix: string; list: boolean };

/** Takes one option. Returns what is wrong with it, and whether it took the argument behind it. */
function takeOption(option: string, next: string | undefined, into: Options): "one" | "two" | { readonly why: string } {
  const [, name = "", , value = next] = /^(--[a-z-]+)(=(.*))?$/s.exec(option) ?? [];
  const width = option.includes("=") ? "one" : "two";
  if (option === "-l" || option === "--list") into.list = true;
  else if (name === "--format" && value !== undefined) {
    into.format = value;
    return width;
  } else if (name === "--prefix" && value !== undefined) {
    into.prefix = value;
    return width;
  } else if (!PASSED_OVER.test(option)) return { why: `the option '${option}' can't be asked of a host` };
  return "one";
}

/** Reads the arguments, each with one character per byte. */
export function parseArchiveArguments(given: readonly string[]): ArchiveArguments | OtherAnswer {
  const options: Options = { format: "tar", prefix: "", list: false };
  let at = 0;
  while (given[at]?.startsWith("-") === true && given[at] !== "--") {
    const taken = takeOption(given[at] ?? "", given[at + 1], options); // The condition says that it is there.
    if (typeof taken === "object") return { kind: "wrong", why: taken.why };
    at += taken === "one" ? 1 : 2;
  }
  if (options.list) return { kind: "list" };
  const rest = given.slice(at).filter((argument) => argument !== "--");
  return archiveOf(options, rest);
}

function archiveOf({ format: name, prefix }: Options, rest: readonly string[]): ArchiveArguments | OtherAnswer {
  const [named, ...paths] = rest;
  const format = FORMATS.get(name);
  if (format === undefined) return { kind: "wrong", why: `Unknown archive format '${name}'` };
  if (named === undefined) return { kind: "wrong", why: "no tree was named" };
  if (!isSafePrefix(prefix)) return { kind: "wrong", why: "the prefix leads out of the archive" };
  const revision = parseRevision(named);
  if (revision === undefined) return { kind: "wrong", why: `not a valid object name: ${named}` };
  const magic = paths.find((path) => /^:|[*?[\\]/.test(path));
  if (magic !== undefined)
    return { kind: "wrong", why: `pathspec '${magic}': only whole paths can be asked of a host` };
  return { kind: "archive", format, prefix, revision, named, paths: paths.map((path) => path.replace(/\/+$/, "")) };
}
