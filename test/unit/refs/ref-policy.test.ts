import { describe, expect, it, test } from "vitest";
import {
  explainRefusal,
  isProtected,
  isRefPattern,
  mindsForcePush,
  PushRules,
  type RefChange,
  type RefRule,
  refusalOfFinding,
  takesTooLong,
} from "../../../src/refs/ref-policy.ts";

const rule = (pattern: string, more: Partial<RefRule> = {}): RefRule => ({
  pattern,
  allowForcePush: false,
  allowDeletion: false,
  requireSigned: false,
  ...more,
});
const MAIN = "refs/heads/main";
const ANYONE = {};
type SignedChange = RefChange & { readonly signed?: boolean };

describe("isProtected", () => {
  test.each<[string, string, boolean]>([
    ["main", MAIN, true],
    [MAIN, MAIN, true],
    ["main", "refs/tags/main", false],
    ["main", "refs/heads/maint", false],
    ["main", "refs/heads/x/main", false],
    ["release/*", "refs/heads/release/1", true],
    ["release/*", "refs/heads/release/1/hotfix", true],
    ["release/*", "refs/heads/release", false],
    ["refs/*", "refs/notes/commits", true],
    ["refs/tags/v*", "refs/tags/v1.0", true],
    ["refs/tags/v*", "refs/tags/w1.0", false],
    ["*", "refs/heads/anything/at/all", true],
    ["*", "refs/tags/v1", false],
    ["a*a", "refs/heads/a", false],
    ["a*a", "refs/heads/aa", true],
    ["*-lts-*", "refs/heads/1-lts-2", true],
    ["*-lts-*x", "refs/heads/1-lts-x", true],
    ["*-lts-*x", "refs/heads/1-lts-", false],
    ["a*b*b", "refs/heads/ab", false],
  ])("tells whether a rule for %s is about %s: %s", (pattern, name, expected) => {
    expect(isProtected([rule(pattern)], name)).toBe(expected);
  });

  it("matches a hostile pattern in one pass", () => {
    expect(isProtected([rule(`${"a*".repeat(120)}b`)], `refs/heads/${"a".repeat(4000)}`)).toBe(false);
  });
});

describe("isRefPattern", () => {
  test.each<[string, boolean]>([
    ["main", true],
    ["*", true],
    ["refs/*", true],
    ["refs/heads/a*/b*", true],
    ["", false],
    ["refs/", false],
    ["a..b", false],
    ["a b", false],
    ["a?", false],
    ["/main", false],
    ["main/", false],
    ["a.lock", false],
    ["x".repeat(251), false],
  ])("tells whether %j is valid: %s", (pattern, expected) => {
    expect(isRefPattern(pattern)).toBe(expected);
  });
});

describe("a rule", () => {
  const create: RefChange = { name: MAIN, kind: "create" };
  const forward: RefChange = { name: MAIN, kind: "update", forward: true };
  const forced: RefChange = { name: MAIN, kind: "update", forward: false };
  const unknown: RefChange = { name: MAIN, kind: "update" };
  const remove: RefChange = { name: MAIN, kind: "delete" };
  const what = (rules: RefRule[], { signed, ...change }: SignedChange, identities?: string[]): string => {
    const push = {
      pusher: identities === undefined ? ANYONE : { identities },
      ...(signed === undefined ? {} : { signed }),
    };
    const finding = new PushRules(rules, push).findingOf(change);
    return (finding && refusalOfFinding(finding, undefined))?.what ?? "allowed";
  };

  it("allows every change that it does not forbid", () => {
    for (const change of [create, forward, forced, unknown, remove]) expect(what([], change)).toBe("allowed");
    expect(what([rule("other")], forced)).toBe("allowed");
  });

  it("forbids moves other than forward, as soon as the direction is known", () => {
    const rules = [rule("main")];
    expect(what(rules, forced)).toBe("force-push");
    expect(what(rules, forward)).toBe("allowed");
    expect(what(rules, unknown)).toBe("allowed");
    expect(what(rules, create)).toBe("allowed");
    expect(what([rule("main", { allowForcePush: true })], forced)).toBe("allowed");
    expect(mindsForcePush(rules, MAIN)).toBe(true);
    expect(mindsForcePush([rule("main", { allowForcePush: true })], MAIN)).toBe(false);
  });

  it("holds a tag where it is", () => {
    const rules = [rule("refs/tags/*")];
    expect(what(rules, { name: "refs/tags/v1", kind: "update", forward: true })).toBe("force-push");
    expect(what(rules, { name: "refs/tags/v1", kind: "create" })).toBe("allowed");
  });

  it("takes too long where long names are searched for many patterns", () => {
    const refs = (count: number, length: number): { readonly name: string }[] =>
      Array.from({ length: count }, () => ({ name: "x".repeat(length) }));
    const searching = Array.from({ length: 100 }, (_, at) => rule(`*${at}*`));
    const plain = Array.from({ length: 100 }, (_, at) => rule(`release/${at}/*`));
    expect(takesTooLong(searching, refs(250, 4000))).toBe(true);
    expect(takesTooLong(searching, refs(80, 4000))).toBe(false);
    expect(takesTooLong(searching, refs(1600, 200))).toBe(false);
    expect(takesTooLong(plain, refs(4000, 4000))).toBe(false);
    expect(takesTooLong([], refs(500_000, 40))).toBe(false);
  });

  it("takes the name of a ref once, however many rules it is compared with", () => {
    const rules = Array.from({ length: 100 }, (_, at) => rule(`*${at}b*`));
    let reads = 0;
    const change: RefChange = {
      kind: "create",
      get name() {
        reads++;
        return `refs/heads/${"é".repeat(2000)}`;
      },
    };
    expect(what(rules, change)).toBe("allowed");
    expect(reads).toBe(1);
  });

  it("forbids deletion", () => {
    expect(what([rule("main")], remove)).toBe("deletion");
    expect(what([rule("main", { allowDeletion: true })], remove)).toBe("allowed");
  });

  it("lets only the pushers push whom it names", () => {
    const rules = [rule("main", { pushers: ["tok_1", "deploy"], allowDeletion: true })];
    for (const change of [create, forward, remove]) {
      expect(what(rules, change, ["tok_2", "other"])).toBe("pusher");
      expect(what(rules, change, ["tok_2", "deploy"])).toBe("allowed");
      expect(what(rules, change, ["tok_1"])).toBe("allowed");
      expect(what(rules, change, [])).toBe("pusher");
      expect(what(rules, change)).toBe("allowed");
    }
    expect(what([rule("main", { pushers: [] })], forward, ["tok_1"])).toBe("pusher");
  });

  it("requires a verified signature", () => {
    const rules = [rule("main", { requireSigned: true, allowDeletion: true })];
    for (const change of [create, forward, remove]) {
      expect(what(rules, { ...change, signed: false })).toBe("unsigned");
      expect(what(rules, { ...change, signed: true })).toBe("allowed");
      expect(what(rules, change)).toBe("allowed");
    }
  });

  it("never allows a change that another rule forbids", () => {
    const rules = [rule("main", { allowDeletion: true }), rule("*", { allowForcePush: true })];
    expect(what(rules, forced)).toBe("force-push");
    expect(what(rules, remove)).toBe("deletion");
  });
});

describe("explainRefusal", () => {
  it("explains a refusal in a sentence of one line", () => {
    for (const what of ["pusher", "deletion", "force-push", "unsigned"] as const) {
      expect(explainRefusal({ pattern: "release/*", what })).toMatch(/^the rule for 'release\/\*' \S.*[a-z]$/);
    }
  });
});
