/**
 * What the command prints: tables for people, JSON for scripts.
 *
 * @packageDocumentation
 */
import { type Json, shownValue } from "./json.ts";

/** A column: its title, and what it shows of a row. */
export type Column = readonly [title: string, of: string | ((row: Json) => unknown)];

function cell(row: Json, [, of]: Column): string {
  // What comes from elsewhere must not move the cursor.
  return shownValue(typeof of === "string" ? row[of] : of(row)).replaceAll(/\p{Cc}/gu, " ");
}

/** Lays rows out below titles. */
export function formatTable(rows: readonly Json[], columns: readonly Column[]): string {
  const lines = [columns.map(([title]) => title), ...rows.map((row) => columns.map((column) => cell(row, column)))];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((text, at) => text.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Lays one thing out, a line a member; what has members of its own is shown as JSON. */
export function formatThing(thing: Json): string {
  const shown = Object.entries(thing).filter(([, value]) => shownValue(value) !== "");
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown
    .map(([name, value]) => `${name.replaceAll("_", " ").padEnd(width)}  ${cell({ value }, ["", "value"])}`)
    .join("\n");
}

function say(text: string): void {
  if (text !== "") process.stdout.write(`${text}\n`);
}

/** Prints a list. */
export function printList(rows: readonly Json[], columns: readonly Column[], asJson: boolean): void {
  say(asJson ? JSON.stringify(rows, undefined, 2) : rows.length === 0 ? "" : formatTable(rows, columns));
}

/** Prints one thing. */
export function printThing(thing: Json, asJson: boolean): void {
  say(asJson ? JSON.stringify(thing, undefined, 2) : formatThing(thing));
}

/** Prints that something was done: `done` to people, `thing` to scripts. */
export function printDone(done: string, thing: Json, asJson: boolean): void {
  say(asJson ? JSON.stringify(thing, undefined, 2) : done);
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
