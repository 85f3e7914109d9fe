import { assert, property, uint8Array } from "fast-check";
import { expect, it } from "vitest";
import { prefixEnd } from "../../../../src/durable/repository/tables/refs.ts";

const text = uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes).toString("latin1"));

it("stands after everything that starts with the prefix, and not after anything else", () => {
  assert(
    property(text, text, (prefix, other) => {
      const end = prefixEnd(prefix);
      if (end === undefined) return;
      expect(prefix + other < end).toBe(true);
      const within = other >= prefix && other < end;
      expect(within).toBe(other.startsWith(prefix));
    }),
    { numRuns: 2000 },
  );
});

it("raises the last byte that can be raised", () => {
  expect(prefixEnd("refs/heads/")).toBe("refs/heads0");
  expect(prefixEnd("a\u00ff")).toBe("b");
  expect(prefixEnd("\u00ff")).toBeUndefined();
  expect(prefixEnd("")).toBeUndefined();
});
