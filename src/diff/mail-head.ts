/**
 * The head of a patch that is sent by mail: who wrote the commit, when, and its subject.
 *
 * @packageDocumentation
 * @see git-format-patch(1), RFC 2047, RFC 5322
 */
import type { Identity } from "../object/identity.ts";

/** The longest line that is not encoded, and the longest one with encoded words. */
const MOST_COLUMNS = 78;
const MOST_ENCODED = 76;
const BEGIN = "=?UTF-8?q?";
const END = "?=";
const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
// eslint-disable-next-line eslint/no-control-regex -- anything but ASCII is what is looked for, and what ends a terminal's text
const UNUSUAL = /[^\x00-\x7f]|\x1b/;
const BLANK_END = /[ \t\r\n]+$/;
/** The characters that stand for themselves in an encoded word: fewer in a name than in a subject. */
const PLAIN = { name: /^[A-Za-z0-9!*+/-]$/, subject: /^(?![=?_])[!-~]$/ };

/** Returns text as encoded words, on lines that are not too long. `column` is where the text begins. */
function encodedWords(text: string, column: number, kind: keyof typeof PLAIN): string {
  const encoder = new TextEncoder();
  let words = BEGIN;
  let at = column + BEGIN.length;
  for (const character of text) {
    const encoded = PLAIN[kind].test(character)
      ? character
      : Array.from(encoder.encode(character), (byte) => `=${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(
          "",
        );
    if (at + encoded.length + END.length > MOST_ENCODED) {
      words += `${END}\n ${BEGIN}`;
      at = BEGIN.length + 1;
    }
    words += encoded;
    at += encoded.length;
  }
  return words + END;
}

/** Returns text on lines that are not too long, if its words allow it. */
function folded(text: string, column: number): string {
  let [result, end] = ["", column];
  for (const [, blank = "", word = ""] of text.matchAll(/([ \t]?)([^ \t]*)/g)) {
    // A tabulator goes to the next column that is a multiple of eight.
    const start = blank === "\t" ? (end | 7) + 1 : end + blank.length;
    const fits = start + word.length <= MOST_COLUMNS;
    result += fits ? blank + word : `\n ${word}`;
    end = (fits ? start : 1) + word.length;
  }
  return result;
}

function needsWords(text: string): boolean {
  return UNUSUAL.test(text) || text.includes("=?");
}

function fromLine({ name, email }: Pick<Identity, "name" | "email">): string {
  const isQuoted = /[()<>[\]:;@,."\\]/.test(name);
  const plain = isQuoted ? `"${name.replaceAll(/["\\]/g, "\\$&")}"` : name;
  const column = "From: ".length;
  const isEncoded = needsWords(name);
  const shown = isEncoded ? encodedWords(name, column, "name") : folded(plain, column);
  const last = shown.includes("\n") ? shown.length - shown.lastIndexOf("\n") - 1 : column + shown.length;
  const isLong = last + email.length + " <>".length > (isEncoded ? MOST_ENCODED : MOST_COLUMNS);
  return `From: ${shown}${isLong ? "\n" : ""} <${email}>\n`;
}

/** Returns a date as in RFC 5322, in the zone in which it was written. */
function mailDate({ time, zone }: Identity): string {
  const [, sign = "+", hours = "0", minutes = "0"] = /^([+-])(\d{1,2})(\d{2})$/.exec(zone) ?? [];
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -1 : 1);
  const date = new Date((time + offset * 60) * 1000);
  const two = (number: number): string => String(number).padStart(2, "0");
  const clock = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(":");
  const day = `${WEEKDAYS[date.getUTCDay()] ?? "Thu"}, ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()] ?? "Jan"}`;
  return `${day} ${date.getUTCFullYear()} ${clock} ${sign}${two(Number(hours))}${two(Number(minutes))}`;
}

/** A commit as far as a mail tells of it. */
export type MailedCommit = {
  /** Hexadecimal. */
  readonly oid: string;
  readonly author: Identity | undefined;
  readonly message: string;
  /** Its place in a series, from 1, and the mails of that; absent for a mail by itself. */
  readonly place?: { readonly number: number; readonly total: number };
};

/** Returns what stands before a subject: `[PATCH]`, or `[PATCH 01/12]` in a series. */
function labelOf(place: MailedCommit["place"]): string {
  if (place === undefined || place.total === 1) return "Subject: [PATCH]";
  const total = String(place.total);
  return `Subject: [PATCH ${String(place.number).padStart(total.length, "0")}/${total}]`;
}

/** Returns the head of the mail, and the commit's message without its subject. */
export function mailHead({ oid, author, message, place }: MailedCommit): string {
  const lines = message.split("\n").map((line) => line.replace(BLANK_END, ""));
  const begin = lines.findIndex((line) => line !== "");
  const paragraph = begin < 0 ? [] : lines.slice(begin);
  const blank = paragraph.indexOf("");
  const subject = (blank < 0 ? paragraph : paragraph.slice(0, blank)).join(" ");
  const body = (blank < 0 ? [] : paragraph.slice(blank)).join("\n").replace(/^\n+/, "").replace(BLANK_END, "");
  const label = labelOf(place) + (subject === "" ? "" : " ");
  const shown = needsWords(subject) ? encodedWords(subject, label.length, "subject") : folded(subject, label.length);
  const mime = UNUSUAL.test(message)
    ? "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n"
    : "";
  const who = author ?? { name: "unknown", email: "unknown", time: 0, zone: "+0000" };
  const head = `From ${oid} Mon Sep 17 00:00:00 2001\n${fromLine(who)}Date: ${mailDate(who)}\n`;
  return `${head}${label}${shown}\n${mime}\n${body === "" ? "" : `${body}\n`}`;
}
