/**
 * `PUT` of what exists: it is answered as if it had been made where it is as asked, and refused where it differs.
 *
 * @packageDocumentation
 * @see RFC 9110, 9.3.4 and 13.1.2
 */
import type { Context } from "hono";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** Whether a value is as asked for. Of an object only the members that were given count. */
function isAsAsked(asked: unknown, shown: unknown): boolean {
  if (Array.isArray(asked)) return JSON.stringify(asked) === JSON.stringify(shown);
  return isObject(asked) && isObject(shown) ? differences(asked, shown).length === 0 : asked === shown;
}

/** Returns the names of the members of `asked` that are otherwise in what is shown. */
function differences(asked: object, shown: object): string[] {
  const given = Object.entries(asked).filter(([, value]) => value !== undefined);
  return given.filter(([name, value]) => !isAsAsked(value, Reflect.get(shown, name))).map(([name]) => name);
}

/**
 * Checks that what exists, as the API shows it, is what the body of a `PUT` asks for.
 *
 * @throws Problem of status 412 where the client wants it made and nothing else, and of 409 where it differs.
 */
export function assertAsAsked(context: Context<ApiEnv>, asked: object, shown: object): void {
  if (context.req.header("If-None-Match")?.trim() === "*") throw new Problem(412, "It exists already.");
  const names = differences(asked, shown);
  if (names.length === 0) return;
  throw new Problem(409, `It exists already, and differs in ${names.join(", ")}. PATCH changes what exists.`);
}
