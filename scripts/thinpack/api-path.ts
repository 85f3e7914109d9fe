/**
 * Paths of the API, made of names that somebody gave. A name stays one piece of the path: none leads to another thing
 * than the one that the command is about.
 *
 * @packageDocumentation
 */
import { isResolvedByUrl } from "../../src/http/path-segments.ts";
import { isPushableRefName } from "../../src/object/ref-name.ts";
import { CommandFailure, EXIT } from "./failure.ts";

/** What stands in arguments for bytes that are not UTF-8. */
const LOST = "\uFFFD";

/** Returns the name of a ref as it was given. @throws CommandFailure if bytes of it got lost on the way here */
export function wholeName(text: string): string {
  if (!text.includes(LOST)) return text;
  throw new CommandFailure(String.raw`${text} is not UTF-8: write such a byte as \%E9`, EXIT.usage);
}

/** Returns the path of a file as it was given. @throws CommandFailure if bytes of it got lost on the way here */
export function wholePath(text: string): string {
  if (!text.includes(LOST)) return text;
  throw new CommandFailure(`${text} is not UTF-8: such a file is changed by git alone`, EXIT.usage);
}

/** Returns a name as one piece of a path. @throws CommandFailure if it can't be one */
export function pathPiece(text: string): string {
  const piece = encodeURIComponent(wholeName(text));
  if (text !== "" && !isResolvedByUrl(piece)) return piece;
  throw new CommandFailure(`${JSON.stringify(text)} is no name`, EXIT.usage);
}

/** Returns a name that has slashes as pieces of a path. @throws CommandFailure if one can't be a piece */
export function pathPieces(text: string): string {
  return text
    .split("/")
    .map((piece) => pathPiece(piece))
    .join("/");
}

/** Returns the path of a ref below that of its repository. @throws CommandFailure if git allows no such name */
export function refPath(repository: string, kind: "heads" | "tags", name: string): string {
  if (isPushableRefName(`refs/${kind}/${wholeName(name)}`)) return `${repository}/refs/${kind}/${pathPieces(name)}`;
  throw new CommandFailure(`${name} is no name of a ${kind === "tags" ? "tag" : "branch"} in git`, EXIT.usage);
}

/** Returns the URL of a path below `/api/v1`. @throws CommandFailure if a URL would make another path of it */
export function apiUrl(base: string, path: string): string {
  if (!isResolvedByUrl(path.replace(/[?#].*$/s, ""))) return `${base}/api/v1${path}`;
  throw new CommandFailure(`${path} is no path of the API: no piece of it may be . or ..`, EXIT.usage);
}
