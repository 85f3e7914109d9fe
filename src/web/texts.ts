/**
 * Text as pages show it: names that are bytes, dates, sizes and object names.
 *
 * @packageDocumentation
 */
import { bytesOf } from "../object/byte-text.ts";
import type { Identity } from "../object/identity.ts";

const lenient = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"] as const;
/** The digits of a shortened object name. */
const SHORT = 10;
const DAY = 24 * 3600;
/** The most characters that are shown of a name, of a commit's first paragraph, and of the rest of its message. */
const LONGEST_NAME = 120;
const LONGEST_SUBJECT = 300;
const LONGEST_BODY = 65_536;

/** The largest README, in bytes, that is shown with its directory, and the largest document that is rendered as one. */
export const LARGEST_README = 256 * 1024;
/** The names of READMEs. */
export const README = /^readme(?:\.(?:md|markdown|mkd|txt|rst|adoc|org))?$/i;

/** Whether a file is Markdown, by its name. */
export function isMarkdown(fileName: string): boolean {
  return /\.(?:md|markdown|mkd)$/i.test(fileName);
}

/** Decodes bytes, with replacement characters for those that are not UTF-8. */
export function decoded(bytes: Uint8Array): string {
  return lenient.decode(bytes);
}

/** Returns a name that has one character per byte as people read it. */
export function shownBytes(byteText: string): string {
  return decoded(bytesOf(byteText));
}

/** Returns the beginning of an object's name. */
export function shortOid(oid: string): string {
  return oid.slice(0, SHORT);
}

/** Returns a size as people read it: `17.2 KiB`. */
export function shownSize(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${bytes === 1 ? "byte" : (UNITS[unit] ?? "bytes")}`; // The loop ends at the last unit.
}

/** Returns a number with separators between thousands. */
export function shownCount(count: number): string {
  return String(count).replaceAll(/\B(?=(?:\d{3})+$)/g, ",");
}

/** Returns how long ago a time (seconds since the epoch) was, in the largest unit that fits. */
export function shownAge(time: number, now: number): string {
  const seconds = Math.max(0, now - time);
  const steps: readonly (readonly [number, string])[] = [
    [365 * DAY, "year"],
    [30 * DAY, "month"],
    [7 * DAY, "week"],
    [DAY, "day"],
    [3600, "hour"],
    [60, "minute"],
  ];
  for (const [length, unit] of steps) {
    const count = Math.floor(seconds / length);
    if (count >= 1) return `${count} ${unit}${count === 1 ? "" : "s"} ago`;
  }
  return "just now";
}

/** Returns a time (seconds since the epoch) in a zone such as `+0200`, as `2026-01-31 12:00 +0200`. */
export function shownTime(time: number, zone = "+0000"): string {
  const [, sign = "+", hours = "0", minutes = "0"] = /^([+-])(\d{2})(\d{2})$/.exec(zone) ?? [];
  const offset = (Number(hours) * 60 + Number(minutes)) * 60 * (sign === "-" ? -1 : 1);
  const date = new Date((time + offset) * 1000);
  if (Number.isNaN(date.getTime())) return "an unknown time";
  return `${date.toISOString().slice(0, 16).replace("T", " ")} ${zone}`;
}

/** Returns the time as `<time datetime>` has it, or `undefined` for one that no calendar has. */
export function machineTime(time: number): string | undefined {
  const date = new Date(time * 1000);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** Cuts a text that is too long to be shown. */
function cut(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

/** Returns who made something: the name, or else the address. */
export function shownPerson(person: Identity | undefined): string {
  if (person === undefined) return "somebody";
  return cut(person.name === "" ? person.email : person.name, LONGEST_NAME);
}

/** Splits a commit's message into its first paragraph, in one line, and the rest. Both are cut to what a page shows. */
export function splitMessage(message: string): { readonly subject: string; readonly body: string } {
  // Each paragraph is longer than what is shown of it only where a program wrote it.
  const text = message.slice(0, LONGEST_SUBJECT + LONGEST_BODY).trimStart();
  const end = text.search(/\n[ \t]*(?:\n|$)/);
  const first = (end < 0 ? text : text.slice(0, end)).slice(0, 2 * LONGEST_SUBJECT);
  const subject = cut(
    first
      .split("\n")
      .map((line) => line.trim())
      .join(" ")
      .trim(),
    LONGEST_SUBJECT,
  );
  const body = end < 0 ? "" : cut(text.slice(end).trim(), LONGEST_BODY);
  return { subject: subject === "" ? "(no message)" : subject, body };
}

/** Returns the day of a time in RFC 3339; "never" for none. */
export function shownDay(time: string | null): string {
  return time === null ? "never" : time.slice(0, 10);
}
