/** Filter-specs are parsed as they were formatted, and are refused in C git's words. */
import { assert, constantFrom, integer, letrec, property, record, constant, array, oneof } from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../../src/bytes/failure.ts";
import {
  type ObjectFilterSpec,
  formatObjectFilterSpec,
  parseObjectFilterSpec,
} from "../../../src/wire/object-filter-spec.ts";

const simple = oneof(
  constant<ObjectFilterSpec>({ kind: "blob:none" }),
  record<ObjectFilterSpec & { kind: "blob:limit" }>({ kind: constant("blob:limit"), bytes: integer({ min: 0 }) }),
  record<ObjectFilterSpec & { kind: "tree" }>({ kind: constant("tree"), depth: integer({ min: 0 }) }),
  record<ObjectFilterSpec & { kind: "object:type" }>({
    kind: constant("object:type"),
    type: constantFrom("commit", "tree", "blob", "tag"),
  }),
);
const { spec } = letrec<{ spec: ObjectFilterSpec }>((tie) => ({
  spec: oneof(
    { maxDepth: 3, depthIdentifier: "spec" },
    simple,
    record<ObjectFilterSpec & { kind: "combine" }>({
      kind: constant("combine"),
      parts: array(tie("spec"), { minLength: 1, maxLength: 3, depthIdentifier: "spec" }),
    }),
  ),
}));

const refusal = (text: string): string => {
  try {
    return JSON.stringify(parseObjectFilterSpec(text));
  } catch (error) {
    if (error instanceof ProtocolError) return error.message;
    throw error;
  }
};

describe("a filter-spec", () => {
  it("is parsed as it was formatted", () => {
    const there = property(spec, (each) => {
      expect(parseObjectFilterSpec(formatObjectFilterSpec(each))).toEqual(each);
    });
    assert(there);
  });

  it.each([
    ["blob:limit=1k", { kind: "blob:limit", bytes: 1024 }],
    ["blob:limit=2M", { kind: "blob:limit", bytes: 2 * 1024 * 1024 }],
    ["blob:limit=0x10", { kind: "blob:limit", bytes: 16 }],
    ["blob:limit=010", { kind: "blob:limit", bytes: 8 }],
    ["blob:limit=0g", { kind: "blob:limit", bytes: 0 }],
    ["blob:limit=18446744073709551615", { kind: "blob:limit", bytes: 2 ** 64 }],
    ["tree:0", { kind: "tree", depth: 0 }],
    ["combine:blob:none+tree%3a3", { kind: "combine", parts: [{ kind: "blob:none" }, { kind: "tree", depth: 3 }] }],
    ["combine:+blob:none+", { kind: "combine", parts: [{ kind: "blob:none" }] }],
  ])("is parsed: %s", (text, expected) => {
    expect(parseObjectFilterSpec(text)).toEqual(expected);
  });

  it.each([
    ["", "invalid filter-spec ''"],
    ["blob", "invalid filter-spec 'blob'"],
    ["blob:some", "invalid filter-spec 'blob:some'"],
    ["blob:limit=", "invalid filter-spec 'blob:limit='"],
    ["blob:limit=-1", "invalid filter-spec 'blob:limit=-1'"],
    ["blob:limit=1kk", "invalid filter-spec 'blob:limit=1kk'"],
    ["tree:", "expected 'tree:<depth>'"],
    ["tree:-1", "expected 'tree:<depth>'"],
    ["tree:18446744073709551616", "expected 'tree:<depth>'"],
    ["blob:limit=18446744073709551616", "invalid filter-spec 'blob:limit=18446744073709551616'"],
    ["blob:limit=17179869184g", "invalid filter-spec 'blob:limit=17179869184g'"],
    ["sparse:oid=main:spec", "filter 'sparse:oid' not supported"],
    ["sparse:path=x", "sparse:path filters support has been dropped"],
    ["object:type=leaf", "'leaf' for 'object:type=<type>' is not a valid object type"],
    ["combine:", "expected something after combine:"],
    ["combine:blob:none+tree:0 ", "must escape char in sub-filter-spec: ' '"],
    ["combine:blob:none+(", "must escape char in sub-filter-spec: '('"],
    ["combine:combine%3a", "expected something after combine:"],
    ["constructor", "invalid filter-spec 'constructor'"],
    ["auto", "'auto' filter not supported by this command"],
  ])("is refused in git's words: '%s'", (text, message) => {
    expect(refusal(text)).toBe(message);
  });

  it("has a bounded depth and a bounded number of parts", () => {
    expect(refusal(`${"combine:".repeat(4000)}blob:none`)).toBe("filters cannot be nested deeper than 8");
    expect(refusal(`combine:${"blob:none+".repeat(4000)}`)).toBe("more than 64 filters cannot be combined");
  });
});
