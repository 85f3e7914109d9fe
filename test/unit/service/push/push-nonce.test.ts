import { describe, expect, it, test } from "vitest";
import { checkNonce, makeNonce, NONCE_SLOP } from "../../../../src/service/push/push-nonce.ts";
import { tools } from "../memory-service.ts";

const NOW = 1_700_000_000_000;
const from = { hash: tools.hash, seed: "secret", repository: "0123" };

describe("the nonce of a signed push", () => {
  it("is the time and a code that only the seed's owner can make", () => {
    expect(makeNonce(from, NOW)).toMatch(/^1700000000-[0-9a-f]{64}$/);
    expect(makeNonce(from, NOW + 999)).toBe(makeNonce(from, NOW));
    for (const other of [
      { ...from, seed: "other" },
      { ...from, repository: "4567" },
    ]) {
      expect(makeNonce(other, NOW)).not.toBe(makeNonce(from, NOW));
    }
  });
});

describe("a nonce that comes back", () => {
  const nonce = makeNonce(from, NOW);

  it("is good for a while, and late afterwards", () => {
    expect(checkNonce(nonce, from, NOW)).toEqual({ nonce: "OK", nonceSlop: 0 });
    expect(checkNonce(nonce, from, NOW + NONCE_SLOP * 1000)).toEqual({ nonce: "OK", nonceSlop: NONCE_SLOP });
    expect(checkNonce(nonce, from, NOW + (NONCE_SLOP + 1) * 1000)).toEqual({
      nonce: "SLOP",
      nonceSlop: NONCE_SLOP + 1,
    });
    // Another isolate's clock may be ahead.
    expect(checkNonce(nonce, from, NOW - 2000)).toEqual({ nonce: "OK", nonceSlop: -2 });
  });

  it("is bad if it was made for another repository, or with another seed", () => {
    for (const other of [
      { ...from, seed: "other" },
      { ...from, repository: "4567" },
    ]) {
      expect(checkNonce(nonce, other, NOW)).toEqual({ nonce: "BAD" });
    }
  });

  test.each(["", "x", "-1-a", "0-a", "1700000000", "1700000000-", `${nonce}0`, nonce.slice(0, -1), ` ${nonce}`])(
    "is bad if it is %j",
    (given) => {
      expect(checkNonce(given, from, NOW)).toEqual({ nonce: "BAD" });
    },
  );

  it("may be missing, or unsolicited", () => {
    expect(checkNonce(undefined, from, NOW)).toEqual({ nonce: "MISSING" });
    expect(checkNonce(undefined, undefined, NOW)).toEqual({ nonce: "MISSING" });
    expect(checkNonce(nonce, undefined, NOW)).toEqual({ nonce: "UNSOLICITED" });
  });
});
