import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type ObjectNamespace, objectNamed } from "../../../src/durable/placement.ts";

/** A namespace whose stubs say how they were come by. */
function namespace(within = "anywhere"): ObjectNamespace<string> {
  return {
    jurisdiction: (jurisdiction) => namespace(jurisdiction),
    idFromName: (name) => ({ name, equals: () => false, toString: () => `${within}:${name}` }),
    get: (id, options) => `${id.toString()} made ${options?.locationHint ?? "near"}`,
  };
}

describe("an object", () => {
  it.each([
    [{}, "anywhere:acme/one made near"],
    [{ JURISDICTION: "", LOCATION_HINT: "" }, "anywhere:acme/one made near"],
    [{ JURISDICTION: "eu" }, "eu:acme/one made near"],
    [{ LOCATION_HINT: "weur" }, "anywhere:acme/one made weur"],
    [{ JURISDICTION: "eu", LOCATION_HINT: "eeur" }, "eu:acme/one made eeur"],
  ])("is addressed as %j says", (settings, expected) => {
    expect(objectNamed(namespace(), "acme/one", settings)).toBe(expected);
  });

  it.each([{ JURISDICTION: "EU" }, { JURISDICTION: "europe" }, { LOCATION_HINT: "moon" }])(
    "is not made where %j names no place",
    (settings) => {
      expect(() => objectNamed(namespace(), "acme/one", settings)).toThrow(RangeError);
    },
  );
});

it("is addressed from one place only, so that none escapes its jurisdiction", () => {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  const addressing = files.filter((name) =>
    /\b(idFromName|getByName|newUniqueId)\(/.test(readFileSync(`src/${name}`, "utf8")),
  );
  expect(addressing).toEqual(["durable/placement.ts"]);
});
