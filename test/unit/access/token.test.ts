import { randomBytes } from "node:crypto";
import { crc32 as zlibCrc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  formatToken,
  mentionsToken,
  tenantOfToken,
  TOKEN_RANDOM_BYTES,
  withoutTokens,
} from "../../../src/access/token.ts";
import { crc32 } from "../../../src/bytes/crc32.ts";

const fresh = (tenant: string): string => formatToken(tenant, randomBytes(TOKEN_RANDOM_BYTES));
/** The expression that is published for secret scanners. */
const SCANNED = /^tpk_[A-Za-z0-9._-]{1,100}_[A-Za-z0-9]{38}$/;

describe("the text of a token", () => {
  it.each(["a", "acme", "a_b", "a_", "_".repeat(0) + "A.b-c_9", "n".repeat(100)])(
    "names its tenant, %s, and is found in a text",
    (tenant) => {
      const text = fresh(tenant);
      expect(text).toMatch(SCANNED);
      expect(tenantOfToken(text)).toBe(tenant.toLowerCase());
      expect(mentionsToken(`?x=${text}&y`)).toBe(true);
      expect(withoutTokens(`/a/${text}/b/${text}.git`)).toBe("/a/tpk_…/b/tpk_….git");
    },
  );

  it("names no tenant if a single character is changed", () => {
    const text = fresh("acme");
    for (let at = 0; at < text.length; at++) {
      const other = text.slice(0, at) + (text.charAt(at) === "x" ? "y" : "x") + text.slice(at + 1);
      expect(tenantOfToken(other)).toBeUndefined();
    }
    for (const other of [text.slice(1), text.slice(0, -1), `${text}a`, ` ${text}`, `${text}\n`, "", "tpk_", "tpk__"]) {
      expect(tenantOfToken(other)).toBeUndefined();
    }
  });

  it("names no tenant if the name cannot be a tenant's, whatever its checksum", () => {
    for (const tenant of ["", ".", "..", "api", "a/b", "_x", "a.git", "n".repeat(101)]) {
      expect(tenantOfToken(fresh(tenant))).toBeUndefined();
    }
  });

  it("has every digit about equally often, and is not made of too few random bytes", () => {
    const counts = new Map<string, number>();
    for (let round = 0; round < 2000; round++) {
      for (const digit of fresh("t").slice("tpk_t_".length, -6)) counts.set(digit, (counts.get(digit) ?? 0) + 1);
    }
    expect(counts.size).toBe(62);
    // There are 64,000 digits: 1,032 of each, within six standard deviations.
    expect(Math.min(...counts.values())).toBeGreaterThan(840);
    expect(Math.max(...counts.values())).toBeLessThan(1230);
    expect(() => formatToken("t", new Uint8Array(TOKEN_RANDOM_BYTES).fill(255))).toThrow(RangeError);
  });
});

describe("crc32", () => {
  it("returns the checksum that zlib returns", () => {
    for (const length of [0, 1, 9, 300]) {
      const bytes = randomBytes(length);
      expect(crc32(bytes)).toBe(zlibCrc32(bytes));
    }
  });
});
