/**
 * The statistics of a patch: a line for each file with a bar of signs, and a line for each file that came, went or moved.
 *
 * @packageDocumentation
 * @see git-diff(1), `--stat`, `--summary`
 */
import { modeText } from "../object/tree.ts";
import type { PatchFile } from "./patch-head.ts";
import { quotedPath } from "./quoted-path.ts";

/** A file with the lines that were added and deleted or, of a binary one, the bytes that it had and has. */
export type FileStat = PatchFile & {
  readonly isBinary: boolean;
  readonly added: number;
  readonly deleted: number;
};

/** The least widths of bars and names. */
const LEAST_BAR = 6;
const LEAST_NAME = 16;

/** Returns both paths of a moved file, with what they have in common outside of braces: `src/{a => b}/file`. */
function movedPath(before: string, after: string): string {
  if (quotedPath(before) !== before || quotedPath(after) !== after)
    return `${quotedPath(before)} => ${quotedPath(after)}`;
  const prefix = commonPrefix(before, after);
  const suffix = commonSuffix(before, after, prefix);
  const [left, right] = [before, after].map((path) => path.slice(prefix, Math.max(prefix, path.length - suffix)));
  const middle = `${left ?? ""} => ${right ?? ""}`; // Two paths have two middles.
  if (prefix + suffix === 0) return middle;
  return `${before.slice(0, prefix)}{${middle}}${before.slice(before.length - suffix)}`;
}

/** Returns the length of the directories that both paths begin with. */
function commonPrefix(one: string, two: string): number {
  let length = 0;
  for (let at = 0; at < one.length && at < two.length && one[at] === two[at]; at++)
    if (one[at] === "/") length = at + 1;
  return length;
}

/** Returns the length of what both paths end with, from a slash on. That slash may be the one that ends the prefix. */
function commonSuffix(one: string, two: string, prefix: number): number {
  const most = Math.min(one.length, two.length) - Math.max(prefix - 1, 0);
  let length = 0;
  for (let back = 1; back <= most && one.at(-back) === two.at(-back); back++) if (one.at(-back) === "/") length = back;
  return length;
}

function nameOf({ before, after, moved }: FileStat): string {
  if (moved !== undefined && before !== undefined && after !== undefined) return movedPath(before.path, after.path);
  return quotedPath((after ?? before)?.path ?? ""); // A file has at least one side.
}

/** Returns a number of signs for a count, so that the largest count takes the whole width; at least one for any. */
function scaled(count: number, width: number, largest: number): number {
  return count === 0 ? 0 : 1 + Math.floor((count * (width - 1)) / largest);
}

type Widths = { readonly name: number; readonly number: number; readonly bar: number; readonly largest: number };

/** Yields for each file that was looked at. */
function* widthsOf(files: readonly FileStat[], width: number): Generator<"", Widths, undefined> {
  let [longest, largest, binary, number] = [0, 0, 0, 0];
  for (const file of files) {
    longest = Math.max(longest, nameOf(file).length);
    if (file.isBinary) {
      binary = Math.max(binary, "Bin  ->  bytes".length + `${file.added}${file.deleted}`.length);
      number = "Bin".length;
    } else largest = Math.max(largest, file.added + file.deleted);
    yield "";
  }
  number = Math.max(number, String(largest).length);
  const whole = Math.max(width, LEAST_NAME + LEAST_BAR + number);
  let bar = largest + 4 > binary ? largest : binary - 4;
  let name = longest;
  const between = number + 6;
  if (name + between + bar > whole) {
    bar = Math.min(bar, Math.max(Math.floor((whole * 3) / 8) - between, LEAST_BAR));
    if (name > whole - between - bar) name = whole - between - bar;
    else bar = whole - between - name;
  }
  return { name, number, bar, largest };
}

/** Returns a name that fits the width. Of a longer one the end is shown, from a slash on if there is one. */
function fitted(name: string, width: number): string {
  if (name.length <= width) return name.padEnd(width);
  const end = name.slice(name.length - Math.max(width - 3, 0));
  const slash = end.indexOf("/");
  return `...${slash < 0 ? end : end.slice(slash)}`.padEnd(width);
}

function signsOf({ added, deleted }: FileStat, { bar: width, largest }: Widths): string {
  if (width > largest) return "+".repeat(added) + "-".repeat(deleted);
  let total = scaled(added + deleted, width, largest);
  if (total < 2 && added > 0 && deleted > 0) total = 2;
  const fewer = scaled(Math.min(added, deleted), width, largest);
  const plus = added < deleted ? fewer : total - fewer;
  return "+".repeat(plus) + "-".repeat(total - plus);
}

function statLine(file: FileStat, widths: Widths): string {
  const head = ` ${fitted(nameOf(file), widths.name)} | `;
  const { added, deleted } = file;
  if (file.isBinary) {
    const sizes = added === 0 && deleted === 0 ? "" : ` ${deleted} -> ${added} bytes`;
    return `${head}${"Bin".padStart(widths.number)}${sizes}\n`;
  }
  const signs = signsOf(file, widths);
  return `${head}${String(added + deleted).padStart(widths.number)}${signs === "" ? "" : " "}${signs}\n`;
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/**
 * Yields the statistics of files for a page of this width, and the lines on files that came, went, moved, or have another mode: one
 * character per byte. Each part is the work on one file, and some are empty.
 */
export function* statText(files: readonly FileStat[], width: number): Generator<string, undefined> {
  const widths = yield* widthsOf(files, width);
  let [added, deleted] = [0, 0];
  for (const file of files) {
    if (!file.isBinary) [added, deleted] = [added + file.added, deleted + file.deleted];
    yield statLine(file, widths);
  }
  const sums = [
    ` ${plural(files.length, "file")} changed`,
    ...(added > 0 || deleted === 0 ? [`${plural(added, "insertion")}(+)`] : []),
    ...(deleted > 0 || added === 0 ? [`${plural(deleted, "deletion")}(-)`] : []),
  ];
  yield `${sums.join(", ")}\n`;
  for (const file of files) yield summaryLine(file);
}

function summaryLine(file: FileStat): string {
  const { before, after, moved } = file;
  if (before === undefined)
    return after === undefined ? "" : ` create mode ${modeText(after.mode)} ${quotedPath(after.path)}\n`;
  if (after === undefined) return ` delete mode ${modeText(before.mode)} ${quotedPath(before.path)}\n`;
  const name = moved === undefined ? ` ${quotedPath(after.path)}` : "";
  const rename = moved === undefined ? "" : ` ${moved.as} ${nameOf(file)} (${moved.similarity}%)\n`;
  const mode =
    before.mode === after.mode ? "" : ` mode change ${modeText(before.mode)} => ${modeText(after.mode)}${name}\n`;
  return rename + mode;
}
