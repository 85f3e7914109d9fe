import { beforeEach, describe, expect, it } from "vitest";
import type { Principal } from "../../../src/access/principal.ts";
import type { Credentials } from "../../../src/http/authenticate.ts";
import { rightsOf } from "../../../src/http/reading-right.ts";
import { RecentReaders } from "../../../src/http/recent-readers.ts";

const NAME = { tenant: "acme", repo: "app" };
const TOKEN: Credentials = { kind: "unchecked", tenant: "acme", hash: new Uint8Array(32).fill(7) };
const OWN: Principal = { kind: "token", tenant: "acme", id: "1", name: "ci", createdAt: 0, scopes: ["repo:read"] };
const FIVE_MINUTES = 5 * 60_000;

let now = 0;
let recent = new RecentReaders();

beforeEach(() => {
  now = 0;
  recent = new RecentReaders();
});

/** A request with these credentials, whose token is looked up when `answer` is called. */
function request(credentials: Credentials): {
  right: ReturnType<typeof rightsOf>;
  answer: (principal: Principal) => void;
  /** What is known of a right before the look-up has answered. */
  soon: (right: Promise<string>) => Promise<string>;
} {
  let answer: (principal: Principal) => void = () => undefined;
  const identity = new Promise<{ principal: Principal }>((resolve) => {
    answer = (principal) => resolve({ principal });
  });
  const right = rightsOf({ credentials, identify: () => identity, recent, now: () => now });
  const soon = async (asked: Promise<string>): Promise<string> =>
    await Promise.race([asked, new Promise<string>((resolve) => void setImmediate(() => resolve("not yet")))]);
  return { right, answer, soon };
}

describe("what a caller may read", () => {
  it.each<[string, Credentials, string]>([
    ["without credentials", { kind: "anonymous" }, "public"],
    ["with what is no token", { kind: "invalid" }, "none"],
    ["as the operator", { kind: "operator" }, "private"],
    ["with a token of another tenant", { ...TOKEN, tenant: "other" }, "public"],
  ])("is known at once %s", async (_who, credentials, expected) => {
    const { right, soon } = request(credentials);
    expect(await soon(right(NAME))).toBe(expected);
  });

  it.each<[string, Principal, string]>([
    ["in force", OWN, "private"],
    ["for this repository only", { ...OWN, repos: ["app"] }, "private"],
    ["for another repository only", { ...OWN, repos: ["other"] }, "public"],
    ["that nobody issued", { kind: "invalid" }, "none"],
  ])("waits for the look-up of a token %s", async (_which, principal, expected) => {
    const { right, answer, soon } = request(TOKEN);
    const asked = right(NAME);
    expect(await soon(asked)).toBe("not yet");
    answer(principal);
    expect(await asked).toBe(expected);
  });

  it("is taken from the last request of a token that was let in, for a while and under that name", async () => {
    const first = request(TOKEN);
    first.answer(OWN);
    await first.right(NAME);
    now = FIVE_MINUTES - 1;
    const next = request(TOKEN);
    expect(await next.soon(next.right(NAME))).toBe("private");
    expect(await next.soon(next.right({ ...NAME, repo: "other" }))).toBe("not yet");
    const other = request({ ...TOKEN, hash: new Uint8Array(32).fill(8) });
    expect(await other.soon(other.right(NAME))).toBe("not yet");
    now += 1;
    const late = request(TOKEN);
    expect(await late.soon(late.right(NAME))).toBe("not yet");
  });

  it("is forgotten once the token is no longer in force", async () => {
    const first = request(TOKEN);
    first.answer(OWN);
    await first.right(NAME);
    const revoked = request(TOKEN);
    revoked.answer({ kind: "invalid" });
    await revoked.right(NAME);
    const next = request(TOKEN);
    expect(await next.soon(next.right(NAME))).toBe("not yet");
  });

  it("is never remembered for a token that was refused", async () => {
    for (let tries = 0; tries < 2; tries++) {
      const forged = request(TOKEN);
      const asked = forged.right(NAME);
      expect(await forged.soon(asked)).toBe("not yet");
      forged.answer({ kind: "invalid" });
      expect(await asked).toBe("none");
    }
  });
});
