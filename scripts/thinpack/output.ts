/**
 * The output of the command: tables for people, JSON for scripts.
 *
 * @packageDocumentation
 */
import { isJson, type Json, shownValue } from "./json.ts";

/** A column: its title, and what it shows of a row. */
export type Column = readonly [title: string, of: string | ((row: Json) => unknown)];

/** The characters that take two columns of a terminal: East Asian wide ones, and emoji. */
const WIDE =
  /[\u1100-\u115F\u2E80-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|\p{Emoji_Presentation}/u;
/** The characters that take no column: marks on the character before, joiners and selectors. */
const NO_WIDTH = /\p{Mn}|\p{Me}|\p{Cf}/u;

/** Returns the columns of a terminal that a text takes. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += NO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

function padded(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}

/** Returns text from elsewhere without the characters that would move the cursor, except line feeds. */
export function printable(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n]/gu, " ");
}

/** Shows a value on one line. Of text that overwrites itself, as progress does, only the last state is left. */
function oneLine(value: unknown): string {
  const text = shownValue(value).replace(/[\r\n]+$/, "");
  // Text from elsewhere must not move the cursor.
  return text.slice(text.lastIndexOf("\r") + 1).replaceAll(/\p{Cc}/gu, " ");
}

function cell(row: Json, [, of]: Column): string {
  return oneLine(typeof of === "string" ? row[of] : of(row));
}

/** Lays rows out below titles. */
export function formatTable(rows: readonly Json[], columns: readonly Column[]): string {
  const lines = [columns.map(([title]) => title), ...rows.map((row) => columns.map((column) => cell(row, column)))];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => displayWidth(line[at] ?? ""))));
  return lines
    .map((line) =>
      line
        .map((text, at) => padded(text, widths[at] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Members that hold seconds. */
const DURATIONS = new Set(["interval", "fetch_through", "lag", "least_mirror_interval"]);

/** Shows a member as people read it: sizes with units, times with their distance, yes and no. */
function shownMember(name: string, value: unknown): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") {
    if (name === "fetch_through" && value === 0) return "off";
    if (DURATIONS.has(name)) return formatSeconds(value);
    if (/(?:^|_)bytes$|^largest_blob$/.test(name)) return formatBytes(value);
    return /(?:^|_)(?:id|seq|status)$/.test(name) ? String(value) : value.toLocaleString("en-US");
  }
  return typeof value === "string" && isTime(value) ? `${formatTime(value)} (${value})` : oneLine(value);
}

/** Returns how a member is called. A size has its unit beside it, so that its name needs none. */
function labelOf(name: string, value: unknown): string {
  return (typeof value === "number" ? name.replace(/_bytes$/, "") : name).replaceAll("_", " ");
}

/** Returns the lines of a thing. Members that have members of their own take a line for each of these, indented. */
function linesOf(thing: Json): [label: string, text: string][] {
  return Object.entries(thing).flatMap(([name, value]): [string, string][] => {
    const label = oneLine(labelOf(name, value));
    const parts = Array.isArray(value) ? value.filter(isJson) : isJson(value) ? [value] : [];
    if (parts.length > 0) {
      const inner = parts.map((part) => linesOf(part).map(([each, text]): [string, string] => [`  ${each}`, text]));
      return inner.flatMap((lines) => (lines.length === 0 ? [] : [[label, ""] as [string, string], ...lines]));
    }
    return shownValue(value) === "" || isJson(value) ? [] : [[label, shownMember(name, value)]];
  });
}

/** Lays one thing out, a line for each member. */
export function formatThing(thing: Json): string {
  const lines = linesOf(thing);
  const width = Math.max(0, ...lines.map(([label]) => label.length));
  return lines.map(([label, text]) => `${label.padEnd(width)}  ${text}`.trimEnd()).join("\n");
}

/** Prints text, and the line's end. Nothing is printed of nothing. */
export function printText(text: string): void {
  if (text !== "") process.stdout.write(`${text}\n`);
}

/** Prints a list. People are told on standard error if there is nothing; `what` is what there could be. */
export function printList(
  rows: readonly Json[],
  columns: readonly Column[],
  { json, what }: { readonly json: boolean; readonly what: string },
): void {
  if (json) printText(JSON.stringify(rows, undefined, 2));
  else if (rows.length === 0) console.error(`no ${what}`);
  else printText(formatTable(rows, columns));
}

/** Prints one thing. */
export function printThing(thing: Json, asJson: boolean): void {
  printText(asJson ? JSON.stringify(thing, undefined, 2) : formatThing(thing));
}

/** Prints that something was done: `done` to people, `thing` to scripts. */
export function printDone(done: string, thing: Json, asJson: boolean): void {
  printText(asJson ? JSON.stringify(thing, undefined, 2) : done);
}

/** Shows a number of things: `1 ref`, `3,290 refs`. */
export function counted(count: number, what: string): string {
  return `${count.toLocaleString("en-US")} ${what}${count === 1 ? "" : "s"}`;
}

/** Shows bytes to people. */
export function formatBytes(bytes: unknown): string {
  if (typeof bytes !== "number") return "";
  const units = ["B", "KB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ""}`;
}

const UNITS = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
] as const;

/** Shows seconds to people: `90 seconds`, `2 hours`. The unit is the largest that has none left over. */
export function formatSeconds(seconds: number): string {
  const [unit, size] = UNITS.find(([, each]) => seconds >= each && seconds % each === 0) ?? ["second", 1];
  return counted(seconds / size, unit);
}

function isTime(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(text);
}

/** Shows a time to people by how far away it is: `2 hours ago`, `in 30 days`. */
export function formatTime(time: unknown, now: number = Date.now()): string {
  if (typeof time !== "string" || !isTime(time)) return shownValue(time);
  const seconds = Math.round((Date.parse(time) - now) / 1000);
  const distance = Math.abs(seconds);
  const [unit, size] = UNITS.find(([, each]) => distance >= each) ?? ["second", 1];
  if (distance === 0) return "now";
  // Rounded, so that what was just made for 30 days ends in 30 days.
  const shown = counted(Math.round(distance / size), unit);
  return seconds < 0 ? `${shown} ago` : `in ${shown}`;
}
