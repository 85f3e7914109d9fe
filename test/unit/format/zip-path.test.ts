/**
 * A path in a zip archive never leads out of the folder into which it is unpacked, on any system, and two paths stay
 * two.
 *
 * @module-tag thorough
 */
import { describe, expect, it } from "vitest";
import { zipPath } from "../../../src/format/zip-path.ts";
import { ZipEncoder } from "../../../src/format/zip.ts";
import { bytesOf, textOf } from "../../../src/object/byte-text.ts";

const utf8 = (text: string): string => textOf(new TextEncoder().encode(text));
const shown = (path: string): string => new TextDecoder().decode(bytesOf(path));

describe("zipPath", () => {
  it.each([
    "README.md",
    "src/a-b_c.d/e f.txt",
    "src/ünï cödé/日本.txt",
    "100%/50%.txt",
    "a%20b/%41",
    ".gitignore",
    ".../x".slice(3),
    "x/..y/y..",
    "emoji 🎉",
    "dir/",
  ])("leaves %j as it is", (path) => {
    expect(shown(zipPath(utf8(path)))).toBe(path);
  });

  it.each([
    ["..\\..\\evil.bat", "..%5C..%5Cevil.bat"],
    ["C:\\evil.bat", "C%3A%5Cevil.bat"],
    ["a:b", "a%3Ab"],
    ["a\nb\r\x1b[0m\x7f", "a%0Ab%0D%1B[0m%7F"],
    ["a\u202Egpj.exe", "a%E2%80%AEgpj.exe"],
    ["\u2066a\u2069\u200F\u061C\u2028", "%E2%81%A6a%E2%81%A9%E2%80%8F%D8%9C%E2%80%A8"],
    ["\u009b1m", "%C2%9B1m"],
    ["x/.. /y", "x/%2E%2E /y"],
    [". . ./y", "%2E %2E %2E/y"],
  ])("writes %j as %j", (path, written) => {
    expect(shown(zipPath(utf8(path)))).toBe(written);
  });

  it("writes no two names alike, even on systems that ignore case", () => {
    const names = [
      "a\\b",
      "a%5Cb",
      "a%5cb",
      "a%255Cb",
      "a%25b",
      "a%b",
      "a:b",
      "a%3Ab",
      "a%3ab",
      "...",
      "%2E%2E%2E",
      "\x01",
      "%01",
      "%251",
    ];
    const written = names.map((name) => zipPath(name).toLowerCase());
    const same = new Set(["a%5cb", "a%3ab"]);
    const different = names.filter((name) => !same.has(name)).map((name) => zipPath(name).toLowerCase());
    expect(new Set(different).size).toBe(different.length);
    expect(new Set(written).size).toBe(names.length - same.size);
  });
});

describe("ZipEncoder", () => {
  const entryOf = (path: string): Parameters<ZipEncoder["entry"]>[0] => ({
    path,
    mode: 0o100644,
    size: 0,
    isDeflated: false,
    isText: false,
  });
  const nothing = new Uint8Array(0);

  it("refuses a path whose length does not fit into two bytes", () => {
    const zip = new ZipEncoder(0);
    expect(zip.entry(entryOf("a".repeat(65_535)), nothing, 0).length).toBeGreaterThan(65_535);
    expect(() => zip.entry(entryOf("a".repeat(65_536)), nothing, 0)).toThrow("too long for a zip archive");
  });

  it("holds hardly more than the bytes of its directory, and frees them at the end", () => {
    const zip = new ZipEncoder(0);
    for (let i = 0; i < 20_000; i++) zip.entry(entryOf(`file-${i}`), nothing, 0);
    const held = zip.heldBytes;
    let directory = 0;
    for (const piece of zip.end("")) directory += piece.length;
    expect(held).toBeGreaterThan(1_000_000);
    expect(held).toBeLessThan(directory + 65_536);
    expect(zip.heldBytes).toBe(0);
  });

  it("refuses an entry if the directory is too large", () => {
    const zip = new ZipEncoder(0);
    const fill = (): void => {
      for (let i = 0; i < 1000; i++) zip.entry(entryOf("a".repeat(60_000)), nothing, 0);
    };
    expect(fill).toThrow("too many files");
    expect(zip.heldBytes).toBeLessThanOrEqual(25 * 1024 * 1024);
  });
});
