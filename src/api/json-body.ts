/**
 * Reads JSON that strangers send. Its size is bounded, and only what a schema knows is taken.
 *
 * @packageDocumentation
 */
import * as v from "valibot";
import { readBodyText } from "../http/body-text.ts";
import { InvalidRequest, Problem } from "../http/problem.ts";
import { suggestion } from "./suggestion.ts";

/** Bytes of the largest body the API takes. */
const MOST = 65_536;
/**
 * How deep values of a larger body may lie within each other, the values of it, and the items of a list: parsing and
 * checking them makes no pause.
 */
const MOST_DEPTH = 64;
const MOST_VALUES = 200_000;
const MOST_ITEMS = 10_000;
/** Characters of a body that an answer repeats. */
const MOST_SHOWN = 200;
/** What is wrong with half a surrogate pair. */
const HALF_A_CHARACTER = "has half a character";
/** Members whose values are not repeated. */
const SECRETS = ["password", "secret", "hook_secret", "private_key", "token", "username"];

/**
 * Returns a flaw that schemas overlook; `undefined` if there is none. One is an array, which passes for an object
 * without members. The other is a string with half a surrogate pair, which UTF-8 can't hold.
 */
function flawOf(output: unknown, input: unknown, path: readonly string[] = []): InvalidRequest | undefined {
  if (typeof output === "string") return output.isWellFormed() ? undefined : invalidMember(path, HALF_A_CHARACTER);
  if (typeof output !== "object" || output === null || typeof input !== "object" || input === null) return undefined;
  if (Array.isArray(input) && !Array.isArray(output)) return invalidMember(path, "has to be an object");
  for (const [key, value] of Object.entries(output)) {
    const given: unknown = Object.hasOwn(input, key) ? Reflect.get(input, key) : undefined;
    const found = flawOf(value, given, [...path, key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Returns where the body stops being JSON, and repeats nothing of it: there may be a secret in it. */
function explainSyntax(cause: unknown): string {
  const [, at] = /at position (\d+)/.exec(cause instanceof Error ? cause.message : "") ?? [];
  return at === undefined ? "The body is not JSON." : `The body is not JSON: see character ${at}.`;
}

/** Writes a path as a JSON pointer in a URI fragment (RFC 6901, section 6). */
function pointerTo(path: readonly string[]): string {
  const parts = path.map((part) =>
    part.slice(0, MOST_SHOWN).toWellFormed().replaceAll("~", "~0").replaceAll("/", "~1"),
  );
  return `#${parts.map((part) => `/${encodeURIComponent(part)}`).join("")}`;
}

function invalidMember(path: readonly string[], why: string): InvalidRequest {
  const where = path.length === 0 ? "the body" : shortened(path.join("."));
  return new InvalidRequest("invalid_member", [{ pointer: pointerTo(path), detail: shortened(`${where}: ${why}`) }]);
}

/** Returns a part of a schema by its name, where it has one. */
function partOf(schema: unknown, name: string): unknown {
  return typeof schema === "object" && schema !== null ? Reflect.get(schema, name) : undefined;
}

/** Returns the members that an object's schema has, at a path into the schema of a body. */
function membersAt(schema: unknown, path: readonly string[]): string[] {
  let at = schema;
  for (const step of [...path, undefined]) {
    for (let inner: unknown = at; inner !== undefined; inner = partOf(at, "wrapped")) at = inner;
    const entries = partOf(at, "entries");
    if (step === undefined) return typeof entries === "object" && entries !== null ? Object.keys(entries) : [];
    at = partOf(entries, step) ?? partOf(at, "item");
  }
  return [];
}

/** Returns a schema's complaint about the body. It is short, and repeats nothing that may be a secret. */
function explainIssue(issue: v.BaseIssue<unknown>, schema: v.GenericSchema, at: readonly string[]): InvalidRequest {
  const within = (issue.path ?? []).map(({ key }) => String(key));
  const path = [...at, ...within];
  if (issue.expected === "never") {
    const [name = ""] = path.slice(-1);
    const guess = suggestion(name, membersAt(schema, within.slice(0, -1)));
    const detail = `unknown member ${JSON.stringify(shortened(path.join(".")))}${guess}`;
    return new InvalidRequest("unknown_member", [{ pointer: pointerTo(path), detail: shortened(detail) }]);
  }
  if (issue.received === "undefined") return invalidMember(path, "is missing");
  if (typeof issue.input === "string" && !issue.input.isWellFormed()) return invalidMember(path, HALF_A_CHARACTER);
  const isSecret = SECRETS.some((name) => path.includes(name));
  return invalidMember(path, isSecret ? `has to be ${issue.expected ?? "something else"}` : issue.message);
}

function shortened(text: string): string {
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN).toWellFormed()}…` : text;
}

/** The names of the members of each body that was read. */
const members = new WeakMap<Request, readonly string[]>();

/** Returns the names of the members of a request's body, if it was read and accepted. */
export function askedMembers(request: Request): readonly string[] {
  return members.get(request) ?? [];
}

/**
 * Returns the body in the schema's form. No body counts as an empty object.
 *
 * @throws Problem if the body does not match.
 */
export async function readJson<Schema extends v.GenericSchema>(
  request: Request,
  schema: Schema,
): Promise<v.InferOutput<Schema>> {
  const text = await readBodyText(request, MOST);
  let json: unknown = {};
  if (text.trim() !== "") {
    if (mediaType(request) !== "application/json") throw new Problem(415, "The body has to be application/json.");
    json = parseJson(text);
  }
  const output = checkJson(json, schema);
  members.set(request, typeof json === "object" && json !== null ? Object.keys(json) : []);
  return output;
}

/** Returns the media type of a request's body, without parameters; "" if there is none. */
export function mediaType(request: Request): string {
  const [type = ""] = (request.headers.get("Content-Type") ?? "").split(";"); // A split text has a first part.
  return type.trim().toLowerCase();
}

/** Parses JSON, of which the nesting, and the items of each list, are bounded. @throws Problem */
export function parseJson(text: string): unknown {
  if (text.length > MOST) assertPlain(text);
  try {
    const json: unknown = JSON.parse(text);
    return json;
  } catch (cause) {
    throw new Problem(400, explainSyntax(cause), {}, { cause });
  }
}

/** Looks at the shape of JSON, whatever it says. A text that is no JSON may pass. @throws Problem */
function assertPlain(text: string): void {
  /** Of each open list or object, the values before the last. */
  const commas: number[] = [];
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) at = stringEnd(text, at);
    else if (code === 0x5b || code === 0x7b) commas.push(0);
    else if (code === 0x5d || code === 0x7d) commas.pop();
    else if (code !== 0x2c) continue;
    else commas.push((commas.pop() ?? 0) + 1); // Beside all lists there is no comma in JSON.
    if (code !== 0x22) values++;
    if (commas.length > MOST_DEPTH) throw new Problem(413, `Values may lie ${MOST_DEPTH} deep within each other.`);
    if ((commas.at(-1) ?? 0) >= MOST_ITEMS) throw new Problem(413, `A list may have ${MOST_ITEMS} items.`); // None is open.
    if (values > MOST_VALUES) throw new Problem(413, `A body may have ${MOST_VALUES} values.`);
  }
}

/** Returns where a string ends that begins at `at`. */
function stringEnd(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = end;
    while (text[escapes - 1] === "\\") escapes--;
    if ((end - escapes) % 2 === 0) return end;
  }
  return text.length;
}

/**
 * Returns JSON in the schema's form. `at` is the path of the JSON within a larger body, of which it is a part.
 *
 * @throws InvalidRequest if the JSON does not match.
 */
export function checkJson<Schema extends v.GenericSchema>(
  json: unknown,
  schema: Schema,
  at: readonly string[] = [],
): v.InferOutput<Schema> {
  if (Array.isArray(json)) throw invalidMember(at, "has to be an object");
  const parsed = v.safeParse(schema, json, { abortEarly: true });
  if (!parsed.success) throw explainIssue(parsed.issues[0], schema, at);
  const flaw = flawOf(parsed.output, json, at);
  if (flaw !== undefined) throw flaw;
  return parsed.output;
}
