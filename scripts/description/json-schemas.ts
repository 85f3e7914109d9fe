/**
 * JSON Schemas of the API's bodies, and the sharing of those that have a name.
 */
import { toJsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";

/** JSON, as far as it is looked into here. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [member: string]: Json };

/** A JSON object. */
export type JsonObject = { readonly [member: string]: Json };

/** Whether JSON is an object. */
export function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** Applies `change` to every object in JSON, the innermost first. */
function changeObjects(json: Json, change: (object: JsonObject) => Json): Json {
  if (Array.isArray(json)) return json.map((item: Json) => changeObjects(item, change));
  if (!isObject(json)) return json;
  const inner = Object.entries(json).map(([name, value]) => [name, changeObjects(value, change)] as const);
  return change(Object.fromEntries(inner));
}

/** Returns the JSON Schema of a body that is checked: what it does not name is refused. */
export function requestSchema(schema: v.GenericSchema): JsonObject {
  const { $schema: _, ...rest } = toJsonSchema(schema, { errorMode: "ignore" });
  const json: Json = JSON.parse(JSON.stringify(rest));
  if (!isObject(json)) throw new Error("a schema is an object");
  return json;
}

/** Returns the JSON Schema of an answer. It is open: a later release may add members, which no client should refuse. */
export function answerSchema(schema: v.GenericSchema): JsonObject {
  const json = changeObjects(requestSchema(schema), ({ additionalProperties, ...rest }) =>
    additionalProperties === false || additionalProperties === undefined ? rest : { ...rest, additionalProperties },
  );
  if (!isObject(json)) throw new Error("a schema is an object");
  return json;
}

/** Returns the reference to a named schema. */
export function referenceTo(name: string): JsonObject {
  return { $ref: `#/components/schemas/${name}` };
}

/** Puts a reference in the place of every schema that is the same as one with a name. */
export class NamedSchemas {
  readonly #names = new Map<string, string>();
  readonly #schemas = new Map<string, JsonObject>();

  /**
   * Names a schema. Of two names for the same schema the first counts.
   *
   * @throws Error if another schema has the name.
   */
  add(name: string, schema: JsonObject): void {
    const text = JSON.stringify(schema);
    if (this.#names.has(text)) return;
    if (this.#schemas.has(name)) throw new Error(`two schemas are named ${name}`);
    this.#names.set(text, name);
    this.#schemas.set(name, schema);
  }

  /** Whether a schema has this name. */
  has(name: string): boolean {
    return this.#schemas.has(name);
  }

  /** Returns JSON with references. `except` is the name of the schema that is itself written out. */
  shared(json: Json, except?: string): Json {
    const found = isObject(json) ? this.#names.get(JSON.stringify(json)) : undefined;
    if (found !== undefined && found !== except) return referenceTo(found);
    if (Array.isArray(json)) return json.map((item: Json) => this.shared(item));
    if (!isObject(json)) return json;
    return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, this.shared(value)]));
  }

  /** Returns the schemas by name, each with references to the others. */
  components(): JsonObject {
    const names = Array.from(this.#schemas.keys()).toSorted();
    return Object.fromEntries(names.map((name) => [name, this.shared(this.#schemas.get(name) ?? {}, name)]));
  }
}
