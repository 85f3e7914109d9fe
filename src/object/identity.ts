/**
 * Parses who made a commit or a tag, and when: `A U Thor <author@example.com> 1700000000 +0200`.
 *
 * @packageDocumentation
 * @see git-commit-tree(1)
 */
import { u8At } from "../bytes/assert.ts";

/** A person and a time. */
export type Identity = {
  readonly name: string;
  readonly email: string;
  /** Seconds since the epoch; 0 if the line has none. Past 2^53 it is only approximate. */
  readonly time: number;
  /** The zone as written, `+0200`; `+0000` if the line has none. */
  readonly zone: string;
};

const LINE = /^([^<]*)<([^>]*)>(.*)$/s;
const MOMENT = /^\s*(\d+)\s*([+-]\d+)/;

/**
 * Parses the value of an `author`, `committer` or `tagger` header as leniently as git does, because old histories have
 * all kinds of broken lines. Returns `undefined` if there is no `<…>` at all.
 */
export function parseIdentity(line: string): Identity | undefined {
  const person = LINE.exec(line);
  if (!person) return undefined;
  const [, name = "", email = "", rest = ""] = person;
  // The time comes after the last ">": an address that has one too must not hide it.
  const moment = MOMENT.exec(rest.slice(rest.lastIndexOf(">") + 1));
  return {
    name: name.trimEnd(),
    email,
    // A line without a time has the epoch, as in git.
    time: Number(moment?.[1] ?? 0),
    zone: moment?.[2] ?? "+0000",
  };
}

/** Formats an identity as the value of a header. */
export function formatIdentity(identity: Identity): string {
  const { name, email, time, zone } = identity;
  return `${name}${name === "" ? "" : " "}<${email}> ${time} ${zone}`;
}

const isSpace = (byte: number | undefined): boolean => byte === 32 || (byte !== undefined && byte >= 9 && byte <= 13);

/**
 * Returns the time of the identity line in `bytes[at, end)` in seconds since the epoch, as git reads it for sorting
 * history: the digits after the last ">". Returns 0 if there are none.
 */
export function identityTime(bytes: Uint8Array, at: number, end: number): number {
  let next = end;
  while (next > at && bytes[next - 1] !== 62) next--;
  if (next === at) return 0;
  while (next < end && isSpace(bytes[next])) next++;
  let time = 0;
  for (; next < end; next++) {
    const digit = u8At(bytes, next) - 48;
    if (digit < 0 || digit > 9) break;
    time = time * 10 + digit;
  }
  return time;
}

/** Returns a date in ISO 8601, in the zone in which it was written; `null` for one that ISO 8601 can't express. */
export function dateText({ time, zone }: Identity): string | null {
  const match = /^([+-])(\d{1,2})(\d{2})$/.exec(zone);
  const [, sign = "+", hours = "00", minutes = "00"] = match ?? [];
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -1 : 1);
  const local = new Date((time + offset * 60) * 1000);
  const year = local.getUTCFullYear();
  if (Number.isNaN(year) || year > 9999 || year < 0) return null;
  return `${local.toISOString().slice(0, 19)}${sign}${hours.padStart(2, "0")}:${minutes}`;
}
