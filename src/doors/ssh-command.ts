/**
 * The commands that git and Git LFS run by SSH.
 *
 * @packageDocumentation
 * @see connect.c `git_connect()`, git-shell(1), git-lfs's docs/api/server-discovery.md
 */
import { parseServiceName, type ServiceName } from "../wire/service-announcement.ts";

/** The service of `git archive --remote`. */
const ARCHIVE = "git-upload-archive";

/** What a client wants to run. */
export type SshCommand =
  | { readonly kind: "service"; readonly service: ServiceName | typeof ARCHIVE; readonly path: string }
  | { readonly kind: "lfs"; readonly path: string; readonly operation: "download" | "upload" }
  | { readonly kind: "unknown"; readonly name: string };

/** A part of a word: in single quotes, behind a backslash, in double quotes, or as it is. */
const PART = /'([^']*)'|\\([^])|"([^"\\$`]*)"|([^\s'"\\]+)/y;

/** Splits a command as a shell does, as far as clients need it. Returns `undefined` for what a shell would refuse. */
function wordsOf(command: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < command.length;) {
    if (/\s/.test(command.charAt(at))) {
      if (word !== undefined) words.push(word);
      word = undefined;
      at++;
      continue;
    }
    PART.lastIndex = at;
    const found = PART.exec(command);
    if (found === null) return undefined;
    const begun = word ?? ""; // A word may begin here.
    word = begun + found.slice(1).find((part) => part !== undefined);
    at = PART.lastIndex;
  }
  return word === undefined ? words : [...words, word];
}

/** Parses a command. `git upload-pack` is the same as `git-upload-pack`. */
export function parseSshCommand(command: string): SshCommand {
  const words = wordsOf(command) ?? [];
  const [name = "", path = "", operation, ...more] =
    words[0] === "git" ? [words.slice(0, 2).join("-"), ...words.slice(2)] : words;
  const service = name === ARCHIVE ? name : parseServiceName(name);
  if (service !== undefined && path !== "" && operation === undefined) return { kind: "service", service, path };
  const isLfs = name === "git-lfs-authenticate" && path !== "" && more.length <= 1;
  if (isLfs && (operation === "download" || operation === "upload")) return { kind: "lfs", path, operation };
  return { kind: "unknown", name };
}
