import { expect, it } from "vitest";
import { SecretBox } from "../../../src/cloudflare/sealed-secrets.ts";

const key = (name: string, byte: number): string => `${name}:${Buffer.alloc(32, byte).toString("base64")}`;

it("opens a secret only for the context it was sealed for", async () => {
  const box = new SecretBox(key("one", 1));
  const sealed = await box.seal("Basic c2VjcmV0", "upstream a https://example.com");
  expect(JSON.stringify(sealed)).not.toContain("c2VjcmV0");
  expect(await box.open(sealed, "upstream a https://example.com")).toBe("Basic c2VjcmV0");
  expect(await box.open(sealed, "upstream b https://example.com")).toBeUndefined();
  expect(
    await box.open({ ...sealed, data: sealed.data.replace(/^./, "_") }, "upstream a https://example.com"),
  ).toBeUndefined();
  expect(await box.seal("Basic c2VjcmV0", "upstream a https://example.com")).not.toEqual(sealed);
});

it("opens with an old key and seals with the new one", async () => {
  const old = await new SecretBox(key("one", 1)).seal("x", "y");
  const box = new SecretBox(`${key("two", 2)},${key("one", 1)}`);
  expect(await box.open(old, "y")).toBe("x");
  expect(box.isStale(old)).toBe(true);
  const fresh = await box.seal("x", "y");
  expect(fresh.key).toBe("two");
  expect(box.isStale(fresh)).toBe(false);
  expect(await new SecretBox(key("two", 2)).open(old, "y")).toBeUndefined();
  expect(await new SecretBox(key("one", 3)).open(old, "y")).toBeUndefined();
});

it("can't seal without a key, and repeats nothing of a malformed one", async () => {
  expect(new SecretBox(undefined).canSeal).toBe(false);
  await expect(new SecretBox("").seal("x", "y")).rejects.toThrow("no key");
  expect(() => new SecretBox("one:short-secret")).toThrow(/^MIRROR_KEYS is not a list of name:key$/);
});
