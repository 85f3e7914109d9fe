import { describe, expect, it } from "vitest";
import { lfsPointerIn } from "../../../src/object/lfs-pointer.ts";

const OID = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const pointer = (...lines: string[]): string => lines.map((line) => `${line}\n`).join("");
const VERSION = "version https://git-lfs.github.com/spec/v1";

describe("a pointer", () => {
  it.each([
    ["the usual one", pointer(VERSION, `oid sha256:${OID}`, "size 12345")],
    [
      "one with an extension",
      pointer(VERSION, `ext-0-foo sha256:${"0".repeat(64)}`, `oid sha256:${OID}`, "size 12345"),
    ],
    [
      "one of the oldest clients",
      pointer("version https://hawser.github.com/spec/v1", `oid sha256:${OID}`, "size 12345"),
    ],
  ])("is known: %s", (_, text) => {
    expect(lfsPointerIn(bytes(text))).toEqual({ oid: OID, size: 12_345 });
  });

  it.each([
    ["empty", ""],
    ["another text", "version https://example.com/\n"],
    ["another version", pointer("version https://git-lfs.github.com/spec/v9", `oid sha256:${OID}`, "size 1")],
    ["another hash", pointer(VERSION, `oid md5:${OID}`, "size 1")],
    ["a short oid", pointer(VERSION, `oid sha256:${OID.slice(1)}`, "size 1")],
    ["no size", pointer(VERSION, `oid sha256:${OID}`)],
    ["a size that is no number", pointer(VERSION, `oid sha256:${OID}`, "size -1")],
    ["one too long", pointer(VERSION, `oid sha256:${OID}`, "size 1", "x".repeat(1000))],
  ])("is not: %s", (_, text) => {
    expect(lfsPointerIn(bytes(text))).toBeUndefined();
  });
});
