import { createHmac } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hmac } from "../../../src/bytes/hmac.ts";
import { isolateTools } from "../../../src/cloudflare/isolate-tools.ts";
import { kernelModule } from "../../support/kernel.ts";

const { hash } = isolateTools(kernelModule);

describe("hmac", () => {
  test.each(["sha1", "sha256"] as const)("returns what Node's createHmac returns, for %s", (name) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }), (key, text) => {
        expect(Buffer.from(hmac(hash, name, key, text)).toString("hex")).toBe(
          createHmac(name, key).update(text).digest("hex"),
        );
      }),
    );
  });
});
