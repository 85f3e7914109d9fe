/**
 * Reads JSON that strangers send: bounded, and only as far as a schema knows it.
 *
 * @packageDocumentation
 */
import * as v from "valibot";
import { Problem } from "../http/problem.ts";

/** Bytes of the largest body the API takes. */
const MOST = 65_536;

async function readText(request: Request): Promise<string> {
  const tooLarge = new Problem(413, `A request's body may have ${MOST} bytes.`);
  if (Number(request.headers.get("Content-Length") ?? 0) > MOST) throw tooLarge;
  if (request.body === null) return "";
  const reader = request.body.getReader({ mode: "byob" });
  // One more than may be, to see that there is more.
  const { value } = await reader.readAtLeast(MOST + 1, new Uint8Array(MOST + 1));
  if (value === undefined) return "";
  if (value.byteLength > MOST) throw tooLarge;
  return new TextDecoder().decode(value);
}

/** Gives where an array stands for an object, which to a schema of an object's members is one without any; `undefined` where none does. */
function arrayForObject(output: unknown, input: unknown, path = "the body"): string | undefined {
  if (typeof output !== "object" || output === null || typeof input !== "object" || input === null) return undefined;
  if (Array.isArray(input) && !Array.isArray(output)) return path;
  for (const [key, value] of Object.entries(output)) {
    const given: unknown = Object.hasOwn(input, key) ? Reflect.get(input, key) : undefined;
    const found = arrayForObject(value, given, key);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Gives the body as the schema describes it; no body counts as an empty object. @throws Problem where it is anything else. */
export async function readJson<Schema extends v.GenericSchema>(
  request: Request,
  schema: Schema,
): Promise<v.InferOutput<Schema>> {
  const text = await readText(request);
  let json: unknown = {};
  if (text.trim() !== "") {
    const type = request.headers.get("Content-Type")?.split(";")[0]?.trim().toLowerCase();
    if (type !== "application/json") throw new Problem(415, "The body has to be application/json.");
    try {
      json = JSON.parse(text);
    } catch (cause) {
      throw new Problem(400, `The body is not JSON: ${cause instanceof Error ? cause.message : "unreadable"}`);
    }
  }
  const parsed = v.safeParse(schema, json);
  if (parsed.success) {
    const wrong = arrayForObject(parsed.output, json);
    if (wrong !== undefined) throw new Problem(422, `${wrong}: has to be an object`);
    return parsed.output;
  }
  const [issue] = parsed.issues;
  const path = v.getDotPath(issue);
  throw new Problem(422, path === null ? issue.message : `${path}: ${issue.message}`);
}
