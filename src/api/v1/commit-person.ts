/**
 * Who made a commit or a tag, and when, as a request says it.
 *
 * @packageDocumentation
 */
import type * as v from "valibot";
import type { Principal } from "../../access/principal.ts";
import { InvalidRequest } from "../../http/problem.ts";
import type { Identity } from "../../object/identity.ts";
import { cleanName } from "../../writing/commit/commit-text.ts";
import type { personBody } from "./commit-schemas.ts";

const SECOND = 1000;
/** The last second of the year 9999. */
const LAST_TIME = 253_402_300_799;
const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|([+-])(\d{2}):?(\d{2}))$/;
const RAW = /^@?(\d{1,12}) ([+-](?:0\d|1[0-4])[0-5]\d)$/;
/** The domain of addresses that nobody has. */
const NOBODY = "users.noreply.invalid";

/** Returns the one who asks, now, where a request names nobody. */
export function asker(principal: Principal, now: number): Identity {
  const id = principal.kind === "token" ? principal.id : principal.kind;
  const called = principal.kind === "token" ? cleanName(principal.name) : undefined;
  return { name: called ?? id, email: `${id}@${NOBODY}`, time: Math.floor(now / SECOND), zone: "+0000" };
}

function invalid(member: string, detail: string): InvalidRequest {
  const pointer = `#/${member.replaceAll(".", "/")}`;
  return new InvalidRequest("invalid_member", [{ pointer, detail: `${member}: ${detail}` }]);
}

function momentOf(member: string, date: string): Pick<Identity, "time" | "zone"> {
  const [, seconds, rawZone] = RAW.exec(date) ?? [];
  if (seconds !== undefined && rawZone !== undefined && Number(seconds) <= LAST_TIME) {
    return { time: Number(seconds), zone: rawZone };
  }
  const match = ISO.exec(date);
  const [, sign = "+", hours = "00", minutes = "00"] = match ?? [];
  const zoned = match?.[1] === undefined ? date : `${date.slice(0, date.lastIndexOf(sign))}${sign}${hours}:${minutes}`;
  const time = match === null ? Number.NaN : Math.floor(Date.parse(zoned) / SECOND);
  if (!(time >= 0 && time <= LAST_TIME)) {
    throw invalid(`${member}.date`, "has to be like 2026-01-31T12:00:00+01:00, or 1769857200 +0100, from 1970 on");
  }
  return { time, zone: `${sign}${hours}${minutes}` };
}

/** Returns a person of a body. Without a date, it is `now` that counts. @throws InvalidRequest */
export function personOf(
  member: string,
  { name, email, date }: v.InferOutput<typeof personBody>,
  now: Pick<Identity, "time" | "zone">,
): Identity {
  const clean = { name: cleanName(name), email: cleanName(email) };
  if (clean.name === undefined)
    throw invalid(`${member}.name`, "is no name: angle brackets and line feeds can't be in one");
  if (clean.email === undefined) throw invalid(`${member}.email`, "is no address");
  const moment = date === undefined ? { time: now.time, zone: now.zone } : momentOf(member, date);
  return { name: clean.name, email: clean.email, ...moment };
}
