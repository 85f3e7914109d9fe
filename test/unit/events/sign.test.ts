import { createHmac } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { signBody } from "../../../src/events/sign.ts";

describe("signBody", () => {
  it("returns the signature of GitHub's documentation", async () => {
    const body = new Uint8Array(Buffer.from("Hello, World!"));
    expect(await signBody("It's a Secret to Everybody", body)).toBe(
      "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    );
  });

  it("returns the signature that node:crypto makes, for any body and any secret", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1, unit: "grapheme" }), fc.uint8Array(), async (secret, bytes) => {
        const expected = createHmac("sha256", secret).update(bytes).digest("hex");
        expect(await signBody(secret, new Uint8Array(bytes))).toBe(`sha256=${expected}`);
      }),
    );
  });
});
