import { assert, oneof, property, string, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import { byteTextOf, bytesOfEscaped, escapedOf, escapedText, readEscapes } from "../../../src/object/escaped-bytes.ts";
import { compareRefNames } from "../../../src/refs/ref-order.ts";
import { RefPrefixes } from "../../../src/refs/ref-prefixes.ts";

const runs = { numRuns: 2000 };
const wellFormed = string({ unit: "binary", maxLength: 12 }).filter((text) => text.isWellFormed());
const bytes = oneof(
  uint8Array({ maxLength: 12 }),
  wellFormed.map((text) => new Uint8Array(Buffer.from(text))),
);
const latin1 = (some: Uint8Array): string => Buffer.from(some).toString("latin1");

describe("escaped text", () => {
  it.each([
    ["ASCII", "refs/heads/main", "refs/heads/main"],
    ["UTF-8", "refs/heads/caf\u00c3\u00a9", "refs/heads/café"],
    ["Latin-1", "refs/heads/caf\u00e9", "refs/heads/caf\\%E9"],
    ["percent signs", "a%E9", "a%E9"],
    ["backslashes", "a\\%E9", "a\\%5C%E9"],
    ["an overlong form", "\u00c0\u00af", "\\%C0\\%AF"],
    ["half of a pair of surrogates", "\u00ed\u00a0\u0080", "\\%ED\\%A0\\%80"],
    ["a character cut short", "\u00e4\u00b8", "\\%E4\\%B8"],
    ["a character past the last", "\u00f4\u0090\u0080\u0080", "\\%F4\\%90\\%80\\%80"],
  ])("of %s", (_, byteText, escaped) => {
    expect(escapedText(Buffer.from(byteText, "latin1"))).toBe(escaped);
    expect(escapedOf(byteText)).toBe(escaped);
    expect(byteTextOf(escaped)).toBe(byteText);
  });

  it("loses no byte, and is as short as a strict decoder allows", () => {
    assert(
      property(bytes, (some) => {
        const escaped = escapedText(some);
        expect(bytesOfEscaped(escaped)).toEqual(some);
        expect(escapedText(bytesOfEscaped(escaped))).toBe(escaped);
        const isUtf8 = Buffer.from(Buffer.from(some).toString()).equals(some);
        if (isUtf8 && !some.includes(0x5c)) expect(escaped).toBe(Buffer.from(some).toString());
        expect(escaped.isWellFormed()).toBe(true);
      }),
      runs,
    );
  });

  it("is not what escapes a byte that needs no escape", () => {
    expect(
      ["\\%41", "\\%C3\\%A9", "\\%e9", "\\", "a\\b", "\ud800"].filter(
        (text) => escapedText(bytesOfEscaped(text)) === text,
      ),
    ).toEqual([]);
  });

  it("is read from bytes of which a caller has escaped some", () => {
    expect(readEscapes("caf\\%E9")).toBe("caf\\%E9");
    expect(readEscapes("caf\\%e9")).toBe("caf\\%E9");
    expect(readEscapes("caf\u00e9")).toBe("caf\\%E9");
    expect(readEscapes("caf\\%C3\u00a9")).toBe("café");
  });
});

describe("names", () => {
  it("sort as their bytes do", () => {
    assert(
      property(bytes, bytes, (a, b) => {
        const order = Math.sign(Buffer.compare(a, b));
        expect(Math.sign(compareRefNames(escapedText(a), escapedText(b)))).toBe(order);
      }),
      runs,
    );
  });

  it("have the prefixes that their bytes have, even inside a character", () => {
    assert(
      property(bytes, bytes, (prefix, rest) => {
        const name = Buffer.concat([prefix, rest]);
        const prefixes = new RefPrefixes([escapedText(prefix)]);
        expect(prefixes.match(escapedText(name))).toBe(true);
        expect(prefixes.match(escapedText(rest))).toBe(latin1(rest).startsWith(latin1(prefix)));
      }),
      runs,
    );
  });
});
