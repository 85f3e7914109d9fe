/** Blobs in an answer of JSON, which are written in pieces. */
import { expect, it } from "vitest";
import { JsonWriter } from "../../../src/api/v1/content-request.ts";
import { noise } from "../../support/git-fixtures.ts";

it.each([0, 1, 2, 3, 98_303, 98_304, 98_305, 1_000_000])(
  "a blob of %i bytes is the base64 of all of it, and no piece is as large",
  async (length) => {
    const bytes = new Uint8Array(noise(length, 1));
    const written: Uint8Array[] = [];
    const write = async (piece: Uint8Array): Promise<void> => void written.push(piece.slice());
    const json = new JsonWriter({ write }, () => undefined);
    async function* items() {
      yield { oid: "a", bytes };
      yield { oid: "b", error: "missing" };
      yield { oid: "c", bytes };
    }
    await json.member("rev", "main");
    await json.contents("blobs", items());
    await json.end();
    const content = Buffer.from(bytes).toString("base64");
    const blobs = [
      { oid: "a", content },
      { oid: "b", error: "missing" },
      { oid: "c", content },
    ];
    expect(JSON.parse(Buffer.concat(written).toString())).toEqual({ rev: "main", blobs });
    expect(Math.max(...written.map((piece) => piece.length))).toBeLessThan(400_000);
  },
);

/** Writes a file's content, and returns what came, and the length of the longest piece. */
async function contentOf(bytes: Uint8Array): Promise<{ readonly json: unknown; readonly longest: number }> {
  const written: Uint8Array[] = [];
  const json = new JsonWriter({ write: async (piece) => void written.push(piece.slice()) }, () => undefined);
  await json.content(bytes);
  await json.end();
  return {
    json: JSON.parse(Buffer.concat(written).toString()),
    longest: Math.max(...written.map((each) => each.length)),
  };
}

it.each([
  ["nothing", ""],
  ["signs that JSON writes with six characters", "\u0001".repeat(1_000_000)],
  ["characters that pieces cut", `x${"é€😀".repeat(100_000)}`],
  ["a mark at its beginning", "\ufeffa"],
])("a file of %s is its text, in pieces", async (_, text) => {
  const { json, longest } = await contentOf(Buffer.from(text));
  expect(json).toEqual({ encoding: "utf-8", content: text });
  expect(longest).toBeLessThan(800_000);
});

it.each([
  ["noise", noise(1_000_000, 2)],
  ["half a character at its end", Buffer.from("é").subarray(0, 1)],
  ["a wrong byte behind much text", Buffer.concat([Buffer.alloc(300_000, "x"), Buffer.of(0xff)])],
])("a file of %s is its base64, in pieces", async (_, bytes) => {
  const { json, longest } = await contentOf(bytes);
  expect(json).toEqual({ encoding: "base64", content: Buffer.from(bytes).toString("base64") });
  expect(longest).toBeLessThan(400_000);
});
