import { describe, expect, it } from "vitest";
import { secretsIn, withoutSecrets } from "../../../src/mirror/redaction.ts";

const basic = (text: string): string => `Basic ${Buffer.from(text, "utf8").toString("base64")}`;

describe("withoutSecrets", () => {
  it.each(["Bearer token-1234 is not known", "no access for token-1234", "token-1234token-1234"])(
    "hides a token in: %s",
    (text) => {
      expect(withoutSecrets(text, secretsIn("Bearer token-1234"))).not.toContain("token-1234");
    },
  );

  it.each(["pa$$wörd/1", encodeURIComponent("pa$$wörd/1"), basic("user:pa$$wörd/1"), "user:pa$$wörd/1"])(
    "hides a password written as %s",
    (secret) => {
      const text = withoutSecrets(`the header was ${secret}, they say`, secretsIn(basic("user:pa$$wörd/1")));
      expect(text).toMatch(/^the header was (?:Basic )?\[credentials\], they say$/);
    },
  );

  it("leaves short secrets and texts without a secret alone", () => {
    expect(withoutSecrets("a repository", secretsIn(basic(":a")))).toBe("a repository");
    expect(withoutSecrets("a repository", secretsIn("Bearer token-1234"))).toBe("a repository");
  });
});
