/**
 * Answers a `PUT` of what exists as if it had been made, if it is as requested, and refuses it if it differs.
 *
 * @packageDocumentation
 * @see RFC 9110, 9.3.4 and 13.1.2
 */
import type { Context } from "hono";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** Whether a value is as requested. Of an object, only the requested members count. */
function isAsAsked(asked: unknown, shown: unknown): boolean {
  if (Array.isArray(asked)) return JSON.stringify(asked) === JSON.stringify(shown);
  return isObject(asked) && isObject(shown) ? differences(asked, shown).length === 0 : asked === shown;
}

/** Returns the names of the members of `asked` that differ from what is shown. */
function differences(asked: object, shown: object): string[] {
  const given = Object.entries(asked).filter(([, value]) => value !== undefined);
  return given.filter(([name, value]) => !isAsAsked(value, Reflect.get(shown, name))).map(([name]) => name);
}

/**
 * Checks that what exists, as the API shows it, is what the body of a `PUT` asks for.
 *
 * @throws Problem of status 412 if the client only wants to make it, and of 409 if it differs.
 */
export function assertAsAsked(context: Context<ApiEnv>, asked: object, shown: object): void {
  if (context.req.header("If-None-Match")?.trim() === "*") throw new Problem(412, "It exists already.");
  const names = differences(asked, shown);
  if (names.length === 0) return;
  throw new Problem(409, `It exists already, and differs in ${names.join(", ")}. PATCH changes what exists.`);
}
