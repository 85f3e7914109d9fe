import { describe, expect, it } from "vitest";
import { decide, type Action, type Subject } from "../../../src/access/decide.ts";
import { explainDenial } from "../../../src/access/denial.ts";
import type { Principal } from "../../../src/access/principal.ts";
import type { Scope } from "../../../src/access/scope.ts";

const NAME = { tenant: "acme", repo: "one" };
const PRIVATE = { visibility: "private", readOnly: false } as const;
const PUBLIC = { visibility: "public", readOnly: false } as const;
const ARCHIVED = { visibility: "private", readOnly: true } as const;

function token(tenant: string, scope: Scope, repos?: readonly string[]): Principal {
  return {
    kind: "token",
    tenant,
    id: "t1",
    name: "ci",
    createdAt: 0,
    scopes: [scope],
    ...(repos === undefined ? {} : { repos }),
  };
}

function why(principal: Principal, action: Action, subject: Subject | undefined): string {
  const decision = decide(principal, action, NAME, subject);
  if (decision === "allow") return "allowed";
  return explainDenial({ decision, principal, action, name: NAME, subject });
}

describe("explainDenial", () => {
  it("tells a token that is not valid from one that is missing", () => {
    expect(why({ kind: "invalid" }, "read", PUBLIC)).toBe("The token is not valid: it is unknown, expired or revoked.");
    expect(why({ kind: "anonymous" }, "write", PUBLIC)).toMatch(/^A valid token is needed: give it as the password/);
  });

  it("says what a token that may not push lacks", () => {
    expect(why(token("acme", "repo:read"), "write", PRIVATE)).toMatch(
      /may only read: a push takes the scope repo:write/,
    );
    expect(why(token("other", "tenant:admin"), "write", PUBLIC)).toMatch(/another tenant's/);
    expect(why(token("acme", "repo:write", ["two"]), "write", PUBLIC)).toMatch(/for other repositories/);
    expect(why(token("acme", "repo:write"), "administer", PRIVATE)).toMatch(/takes the scope tenant:admin/);
  });

  it("says that a repository is read-only to those who could push to it, and the operator", () => {
    for (const principal of [token("acme", "repo:write"), { kind: "operator" } as const]) {
      expect(why(principal, "write", ARCHIVED)).toBe("This repository is read-only: nobody may push to it.");
    }
    expect(why(token("acme", "repo:read"), "write", ARCHIVED)).toMatch(/may only read/);
  });

  it("says what it takes to create a repository", () => {
    expect(why(token("acme", "repo:write"), "write", undefined)).toMatch(
      /may not create it: that takes .*tenant:admin/,
    );
  });

  it.each([token("other", "tenant:admin"), token("acme", "tenant:admin", ["two"])])(
    "says the same of what is private and of what is missing",
    (principal) => {
      for (const action of ["read", "write", "administer"] as const) {
        expect(why(principal, action, PRIVATE)).toBe(why(principal, action, undefined));
        expect(why(principal, action, PRIVATE)).toMatch(/no such repository/);
      }
    },
  );
});
