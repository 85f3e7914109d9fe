import { expect, it } from "vitest";
import { fillCredentials } from "../../../scripts/remote-helper/credentials.ts";

it.each(["https://evil.example/a/b.git%0ahost=github.com", "https://a%0ahost=github.com@evil.example/a/b.git"])(
  "asks git for nothing where a line break in the address would name another host: %s",
  async (address) => {
    await expect(fillCredentials(new URL(address), [])).rejects.toThrow("line break");
  },
);
