import { describe, expect, it } from "vitest";
import {
  type Action,
  decide,
  decideTenant,
  type Decision,
  type Subject,
  type TenantAction,
} from "../../../src/access/decide.ts";
import type { Principal } from "../../../src/access/principal.ts";
import type { Scope } from "../../../src/access/scope.ts";

const NAME = { tenant: "acme", repo: "one" };

const REPOSITORIES = {
  missing: undefined,
  private: { visibility: "private", readOnly: false },
  public: { visibility: "public", readOnly: false },
  "private, read-only": { visibility: "private", readOnly: true },
  "public, read-only": { visibility: "public", readOnly: true },
} as const satisfies Record<string, Subject | undefined>;

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

const PRINCIPALS = {
  anonymous: { kind: "anonymous" },
  invalid: { kind: "invalid" },
  operator: { kind: "operator" },
  reader: token("acme", "repo:read"),
  writer: token("acme", "repo:write"),
  admin: token("acme", "tenant:admin"),
  "its writer": token("acme", "repo:write", ["one", "two"]),
  "its admin": token("acme", "tenant:admin", ["one"]),
  "another's admin": token("acme", "tenant:admin", ["two"]),
  "other tenant": token("other", "tenant:admin"),
  "other tenant, same name": token("other", "tenant:admin", ["one"]),
  nothing: { kind: "token", tenant: "acme", id: "t0", name: "none", createdAt: 0, scopes: [] },
} as const satisfies Record<string, Principal>;

const A = "allow";
const C = "challenge";
const F = "forbid";
const H = "hide";

/** The decisions about reading, writing and administering, for each repository in the order above. */
const TABLE: Readonly<Record<keyof typeof PRINCIPALS, readonly (readonly [Decision, Decision, Decision])[]>> = {
  anonymous: [
    [C, C, C],
    [C, C, C],
    [A, C, C],
    [C, C, C],
    [A, C, C],
  ],
  invalid: [
    [C, C, C],
    [C, C, C],
    [C, C, C],
    [C, C, C],
    [C, C, C],
  ],
  operator: [
    [H, A, A],
    [A, A, A],
    [A, A, A],
    [A, F, A],
    [A, F, A],
  ],
  reader: [
    [H, H, F],
    [A, F, F],
    [A, F, F],
    [A, F, F],
    [A, F, F],
  ],
  writer: [
    [H, H, F],
    [A, A, F],
    [A, A, F],
    [A, F, F],
    [A, F, F],
  ],
  admin: [
    [H, A, A],
    [A, A, A],
    [A, A, A],
    [A, F, A],
    [A, F, A],
  ],
  "its writer": [
    [H, H, F],
    [A, A, F],
    [A, A, F],
    [A, F, F],
    [A, F, F],
  ],
  "its admin": [
    [H, A, A],
    [A, A, A],
    [A, A, A],
    [A, F, A],
    [A, F, A],
  ],
  "another's admin": [
    [H, H, H],
    [H, H, H],
    [A, F, F],
    [H, H, H],
    [A, F, F],
  ],
  "other tenant": [
    [H, H, H],
    [H, H, H],
    [A, F, F],
    [H, H, H],
    [A, F, F],
  ],
  "other tenant, same name": [
    [H, H, H],
    [H, H, H],
    [A, F, F],
    [H, H, H],
    [A, F, F],
  ],
  nothing: [
    [H, H, F],
    [A, F, F],
    [A, F, F],
    [A, F, F],
    [A, F, F],
  ],
};
const ACTIONS: readonly Action[] = ["read", "write", "administer"];

describe("decide", () => {
  it.each(Object.entries(TABLE))(
    "decides for %s whether it reads, writes or administers a repository",
    (who, expected) => {
      const principal = PRINCIPALS[who as keyof typeof PRINCIPALS];
      const decided = Object.values(REPOSITORIES).map((subject) =>
        ACTIONS.map((action) => decide(principal, action, NAME, subject)),
      );
      expect(decided).toEqual(expected);
    },
  );

  it("lets a ticket read the repository that it was made for, and no other one of that name", () => {
    const ticket = { ...PRINCIPALS["its admin"], scopes: ["repo:read"], repos: [NAME.repo], repoId: "one" } as const;
    const decided = (id: string, visibility: "private" | "public") =>
      decide(ticket, "read", NAME, { visibility, readOnly: false, id });
    expect([decided("one", "private"), decided("two", "private"), decided("two", "public")]).toEqual([A, H, A]);
  });

  it("tells no principal that may not read a private repository whether it exists", () => {
    for (const principal of Object.values(PRINCIPALS)) {
      if (decide(principal, "read", NAME, REPOSITORIES.private) === "allow") continue;
      for (const action of ACTIONS) {
        const missing = decide(principal, action, NAME, undefined);
        expect(missing).not.toBe("allow");
        expect(decide(principal, action, NAME, REPOSITORIES.private)).toBe(missing);
        expect(decide(principal, action, NAME, REPOSITORIES["private, read-only"])).toBe(missing);
      }
    }
  });
});

/** The decisions about showing, administering and operating the principal's own tenant, and another one. */
const TENANT_TABLE: Readonly<Record<keyof typeof PRINCIPALS, readonly (readonly [Decision, Decision, Decision])[]>> = {
  anonymous: [
    [C, C, C],
    [C, C, C],
  ],
  invalid: [
    [C, C, C],
    [C, C, C],
  ],
  operator: [
    [A, A, A],
    [A, A, A],
  ],
  reader: [
    [A, F, F],
    [H, H, F],
  ],
  writer: [
    [A, F, F],
    [H, H, F],
  ],
  admin: [
    [A, A, F],
    [H, H, F],
  ],
  "its writer": [
    [A, F, F],
    [H, H, F],
  ],
  "its admin": [
    [A, F, F],
    [H, H, F],
  ],
  "another's admin": [
    [A, F, F],
    [H, H, F],
  ],
  "other tenant": [
    [H, H, F],
    [H, H, F],
  ],
  "other tenant, same name": [
    [H, H, F],
    [H, H, F],
  ],
  nothing: [
    [A, F, F],
    [H, H, F],
  ],
};
const TENANT_ACTIONS: readonly TenantAction[] = ["show", "administer", "operate"];

describe("decideTenant", () => {
  it.each(Object.entries(TENANT_TABLE))(
    "decides for %s whether it shows, administers or operates a tenant",
    (who, expected) => {
      const principal = PRINCIPALS[who as keyof typeof PRINCIPALS];
      const decided = ["acme", "third"].map((tenant) =>
        TENANT_ACTIONS.map((action) => decideTenant(principal, action, tenant)),
      );
      expect(decided).toEqual(expected);
    },
  );
});
