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
