import { assert, property, string } from "fast-check";
import { expect, it } from "vitest";
import { prefixEnd } from "../../../../src/durable/repository/tables/refs.ts";

const bytes = (text: string): Buffer => Buffer.from(text);
const before = (a: string, b: string): boolean => Buffer.compare(bytes(a), bytes(b)) < 0;
const text = string({ unit: "binary", maxLength: 6 });

it("stands after everything that starts with the prefix, and not after anything else", () => {
  assert(
    property(text, text, (prefix, other) => {
      const end = prefixEnd(prefix);
      if (end === undefined) return;
      expect(before(prefix + other, end)).toBe(true);
      const within = !before(other, prefix) && before(other, end);
      expect(within).toBe(other.startsWith(prefix));
    }),
    { numRuns: 2000 },
  );
});

it("raises the last character that can be raised", () => {
  expect(prefixEnd("refs/heads/")).toBe("refs/heads0");
  expect(prefixEnd("a\u{10ffff}")).toBe("b");
  expect(prefixEnd("\ud7ff")).toBe("\ue000");
  expect(prefixEnd("\u{10ffff}")).toBeUndefined();
  expect(prefixEnd("")).toBeUndefined();
});
