/**
 * Checks JSON against the schemas of the API's description, and makes values by them. It knows the keywords that the description uses and
 * fails for any other: so none is passed over in silence.
 *
 * @packageDocumentation
 * @see JSON Schema 2020-12
 */
import * as fc from "fast-check";

/** A schema. */
export type Schema = { readonly [keyword: string]: unknown };

const ANNOTATIONS = new Set([
  "description",
  "title",
  "example",
  "examples",
  "default",
  "$schema",
  "format",
  "deprecated",
]);

type Check = (wanted: unknown, value: unknown, schemas: Schemas) => string | undefined;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value;
}

function hasType(type: string, value: unknown): boolean {
  return type === "integer" ? Number.isInteger(value) : typeOf(value) === type;
}

const lengthOf = (value: unknown): number => (typeof value === "string" ? Array.from(value).length : Number.NaN);

/** What a keyword demands of a value: gives what is wrong. Those that do not concern its type demand nothing. */
const CHECKS: Readonly<Record<string, Check>> = {
  type: (wanted, value) => {
    const types = Array.isArray(wanted) ? (wanted as string[]) : [String(wanted)];
    return types.some((type) => hasType(type, value)) ? undefined : `is ${typeOf(value)}, not ${types.join(" or ")}`;
  },
  enum: (wanted, value) => ((wanted as unknown[]).includes(value) ? undefined : `is none of ${JSON.stringify(wanted)}`),
  const: (wanted, value) => (wanted === value ? undefined : `is not ${JSON.stringify(wanted)}`),
  pattern: (wanted, value) =>
    typeof value !== "string" || new RegExp(String(wanted), "u").test(value)
      ? undefined
      : `does not match ${String(wanted)}`,
  minLength: (wanted, value) => (lengthOf(value) < Number(wanted) ? "is too short" : undefined),
  maxLength: (wanted, value) => (lengthOf(value) > Number(wanted) ? "is too long" : undefined),
  minimum: (wanted, value) => (typeof value === "number" && value < Number(wanted) ? "is too small" : undefined),
  maximum: (wanted, value) => (typeof value === "number" && value > Number(wanted) ? "is too large" : undefined),
  minItems: (wanted, value) =>
    Array.isArray(value) && value.length < Number(wanted) ? "has too few items" : undefined,
  maxItems: (wanted, value) =>
    Array.isArray(value) && value.length > Number(wanted) ? "has too many items" : undefined,
  required: (wanted, value) => {
    if (!isRecord(value)) return undefined;
    const missing = (wanted as string[]).filter((name) => !Object.hasOwn(value, name));
    return missing.length === 0 ? undefined : `lacks ${missing.join()}`;
  },
  anyOf: (wanted, value, schemas) => {
    const faults = (wanted as Schema[]).map((schema) => schemas.fault(schema, value));
    return faults.includes(undefined) ? undefined : `fits nothing: ${faults.join("; ")}`;
  },
  allOf: (wanted, value, schemas) =>
    (wanted as Schema[]).map((schema) => schemas.fault(schema, value)).find((fault) => fault !== undefined),
  items: (wanted, value, schemas) => {
    if (!Array.isArray(value)) return undefined;
    const faults = value.map((item: unknown) => schemas.fault(wanted as Schema, item));
    const at = faults.findIndex((fault) => fault !== undefined);
    return at < 0 ? undefined : `[${at}] ${faults[at] ?? ""}`;
  },
  $ref: (wanted, value, schemas) => schemas.fault(schemas.named(String(wanted)), value),
};
/** Keywords about members, which are looked at together. */
const MEMBERS = new Set(["properties", "additionalProperties", "propertyNames", "patternProperties"]);

/** The schemas of a description, by which others refer to them. */
export class Schemas {
  readonly #named: Readonly<Record<string, Schema>>;

  /** `named` are those of `components/schemas`. */
  constructor(named: Readonly<Record<string, Schema>>) {
    this.#named = named;
  }

  /** Returns the schema that a reference names. */
  named(reference: string): Schema {
    const found = this.#named[reference.replace("#/components/schemas/", "")];
    if (found === undefined) throw new Error(`there is no ${reference}`);
    return found;
  }

  /** Returns what is wrong with a value; `undefined` where nothing is. @throws for a keyword that it does not know. */
  fault(schema: Schema, value: unknown): string | undefined {
    for (const [keyword, wanted] of Object.entries(schema)) {
      if (ANNOTATIONS.has(keyword)) continue;
      const check = MEMBERS.has(keyword) ? undefined : CHECKS[keyword];
      if (check === undefined && !MEMBERS.has(keyword)) throw new Error(`the keyword ${keyword} is not known here`);
      const fault = check?.(wanted, value, this);
      if (fault !== undefined) return fault;
    }
    return isRecord(value) ? this.#memberFault(schema, value) : undefined;
  }

  #memberFault(
    { properties = {}, additionalProperties = true, patternProperties }: Schema,
    value: Record<string, unknown>,
  ): string | undefined {
    if (patternProperties !== undefined) throw new Error("patternProperties is not known here");
    for (const [name, member] of Object.entries(value)) {
      const known = Object.hasOwn(properties as object, name)
        ? (properties as Record<string, Schema>)[name]
        : undefined;
      if (known === undefined && additionalProperties === false) return `has ${name} besides`;
      const schema = known ?? (isRecord(additionalProperties) ? additionalProperties : undefined);
      const fault = schema === undefined ? undefined : this.fault(schema, member);
      if (fault !== undefined) return `.${name} ${fault}`;
    }
    return undefined;
  }

  /** Gives values that fit a schema, or that nearly do. `words` are texts that mean something to the host. */
  values(schema: Schema, words: readonly string[], depth = 0): fc.Arbitrary<unknown> {
    const { $ref, anyOf, type } = schema;
    if (typeof $ref === "string") return this.values(this.named($ref), words, depth);
    if (Array.isArray(anyOf))
      return fc.oneof(...(anyOf as Schema[]).map((each) => this.values(each, words, depth + 1)));
    if (Array.isArray(schema["enum"])) return fc.constantFrom(...(schema["enum"] as unknown[]));
    if (schema["const"] !== undefined) return fc.constant(schema["const"]);
    switch (type) {
      case "object":
        return this.#objects(schema, words, depth);
      case "array":
        return fc.array(this.values((schema["items"] ?? {}) as Schema, words, depth + 1), { maxLength: 3 });
      case "string":
        return texts(words);
      case "integer":
      case "number":
        return fc.oneof(
          fc.integer({ min: Number(schema["minimum"] ?? 0), max: Number(schema["maximum"] ?? 100) }),
          oddNumbers(),
        );
      case "boolean":
        return fc.boolean();
      case "null":
        return fc.constant(null);
      default:
        return oddValues();
    }
  }

  #objects({ properties = {}, required = [] }: Schema, words: readonly string[], depth: number): fc.Arbitrary<object> {
    const members = Object.entries(properties as Record<string, Schema>);
    const fitting = Object.fromEntries(members.map(([name, schema]) => [name, this.values(schema, words, depth + 1)]));
    const whole = fc.record(fitting, { requiredKeys: required as string[] });
    if (members.length === 0) return whole;
    // One member is missing, odd, or nobody's.
    const spoilt = fc
      .tuple(
        whole,
        fc.constantFrom(...members.map(([name]) => name), "__proto__", "constructor", "x", "toString"),
        fc.option(oddValues(), { nil: undefined }),
      )
      .map(([made, name, value]): object => {
        const copy = JSON.parse(JSON.stringify(made)) as Record<string, unknown>;
        Object.defineProperty(copy, name, { value, enumerable: true, configurable: true, writable: true });
        return copy;
      });
    return fc.oneof({ arbitrary: whole, weight: 3 }, { arbitrary: spoilt, weight: 1 });
  }
}

/** Texts: such as mean something, and such as break what takes them for harmless. */
export function texts(words: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { arbitrary: fc.constantFrom(...words), weight: 4 },
    fc.constantFrom(
      "",
      " ",
      ".",
      "..",
      "../x",
      "\0",
      "\u{d800}",
      "\u{dc00}x",
      "\u202e",
      "x".repeat(5000),
      "%00",
      "%",
      "\\",
      "a\nb",
      "é",
      "-1",
      "null",
    ),
    fc.string({ maxLength: 12 }),
    fc.string({ unit: "binary", maxLength: 8 }),
  );
}

function oddNumbers(): fc.Arbitrary<number> {
  return fc.constantFrom(0, -1, 1.5, 1e21, -1e21, 2 ** 31, 2 ** 53, 2 ** 53 + 2, Number.MAX_VALUE, 5e-324);
}

function oddValues(): fc.Arbitrary<unknown> {
  return fc.oneof(
    oddNumbers(),
    fc.constantFrom<unknown>(null, true, "", [], {}, [[]], [null], { x: {} }),
    fc.string({ maxLength: 6 }),
    fc.json({ maxDepth: 2 }).map((text) => JSON.parse(text) as unknown),
  );
}
