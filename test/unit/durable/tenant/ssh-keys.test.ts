/** The SSH keys of a tenant's database. */
import { beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_TENANT } from "../../../../src/access/directory.ts";
import { type AddSshKeyRequest, MOST_DEPLOY_KEYS } from "../../../../src/access/ssh-key-store.ts";
import { USE_INTERVAL } from "../../../../src/access/token-store.ts";
import { TenantDatabase } from "../../../../src/durable/tenant/tenant-database.ts";
import { tokenOf, wanted } from "../../../suites/tenant.ts";
import { nodeSql } from "../../../support/node-sql.ts";

let database: TenantDatabase;
let ids = 0;

const keyOf = (name: string, more: Partial<AddSshKeyRequest> = {}): AddSshKeyRequest => ({
  fingerprint: `SHA256:${name}`,
  key: `ssh-ed25519 ${name}`,
  name,
  scopes: ["repo:write"],
  ...more,
});
const deployOf = (name: string, repo: string): AddSshKeyRequest =>
  keyOf(name, { scopes: ["repo:read"], repos: [repo], deploys: repo });

function add(request: AddSshKeyRequest, now = 0): string {
  const answer = database.sshKeys.add(request, now);
  if (answer.kind !== "added") throw new Error(answer.kind);
  return answer.key.id;
}

function register(repo: string): string {
  const answer = database.register(wanted(repo), 0);
  if (answer.kind !== "registered") throw new Error(answer.kind);
  return answer.id;
}

const checked = (name: string, repo = "one", now = 0): object | undefined =>
  database.checkSshKey(`SHA256:${name}`, repo, now);

beforeEach(() => {
  ids = 0;
  database = new TenantDatabase(nodeSql(), "acme", () => `id${String(ids++).padStart(4, "0")}`);
  database.create(DEFAULT_TENANT, 0);
});

describe("an SSH key", () => {
  it("is known by its fingerprint until it is removed", () => {
    const id = add(keyOf("a", { repos: ["one"] }));
    expect(checked("a")).toMatchObject({ token: { id, name: "a", scopes: ["repo:write"], repos: ["one"] } });
    expect(checked("b")).toBeUndefined();
    expect(database.sshKeys.remove({}, id)).toBe(true);
    expect(checked("a")).toBeUndefined();
    expect(database.sshKeys.remove({}, id)).toBe(false);
  });

  it("is no token, and a token is no key", () => {
    add(keyOf("a"));
    database.issue(tokenOf("b"), 0);
    expect(database.tokens("", 10)?.items.map(({ name }) => name)).toEqual(["b"]);
    expect(database.sshKeys.list({}, "", 10)?.items.map(({ name }) => name)).toEqual(["a"]);
    expect(database.inForce(["id0000"], 0)).toEqual([]);
  });

  it("stands once in a tenant: the same again changes nothing, and anything else is refused", () => {
    register("one");
    const id = add(keyOf("a"));
    expect(database.sshKeys.add(keyOf("a"), 0)).toMatchObject({ kind: "exists", key: { id } });
    expect(database.sshKeys.add(keyOf("a", { scopes: ["repo:read"] }), 0)).toEqual({ kind: "taken" });
    expect(database.sshKeys.add(deployOf("a", "one"), 0)).toEqual({ kind: "taken" });
    expect(database.sshKeys.list({}, "", 10)?.items).toHaveLength(1);
  });

  it("notes its use every ten minutes, and expires to the millisecond", () => {
    add(keyOf("a", { expiresAt: 2 * USE_INTERVAL }));
    const used = (): number | undefined => database.sshKeys.list({}, "", 1)?.items[0]?.usedAt;
    checked("a", "one", 7);
    checked("a", "one", USE_INTERVAL);
    expect(used()).toBe(7);
    checked("a", "one", USE_INTERVAL + 7);
    expect(used()).toBe(USE_INTERVAL + 7);
    expect(checked("a", "one", 2 * USE_INTERVAL - 1)).toBeDefined();
    expect(checked("a", "one", 2 * USE_INTERVAL)).toBeUndefined();
    // Its place is free again.
    expect(database.sshKeys.add(keyOf("a"), 2 * USE_INTERVAL)).toMatchObject({ kind: "added" });
  });

  it("has no more than the token that made it, and goes with it where its children are asked for", () => {
    const issued = database.issue(tokenOf("maker", { scopes: ["repo:write"], repos: ["one"], expiresAt: 500 }), 0);
    if (issued.kind !== "issued") throw new Error(issued.kind);
    const createdBy = issued.token.id;
    expect(database.sshKeys.add(keyOf("a", { createdBy }), 0)).toEqual({ kind: "excess", of: "repos" });
    const admin = keyOf("a", { createdBy, repos: ["one"], scopes: ["tenant:admin"] });
    expect(database.sshKeys.add(admin, 0)).toEqual({ kind: "excess", of: "scopes" });
    add(keyOf("a", { createdBy, repos: ["one"] }));
    expect(database.tokens("", 1)?.items[0]).toMatchObject({ children: 1 });
    expect(database.sshKeys.list({}, "", 1)?.items[0]).toMatchObject({ expiresAt: 500, createdBy });
    expect(database.revoke(createdBy)).toBe(1);
    expect(checked("a")).toBeDefined();
    // The token is gone, and yet is known as the maker of its key.
    expect(database.revoke(createdBy, true)).toBe(1);
    expect(checked("a")).toBeUndefined();
    expect(database.sshKeys.add(keyOf("b", { createdBy }), 0)).toEqual({ kind: "no-maker" });
  });

  it("goes with its tenant", () => {
    add(keyOf("a"));
    database.leave();
    expect(checked("a")).toBeUndefined();
    expect(database.sshKeys.list({}, "", 1)).toBeUndefined();
    expect(database.sshKeys.add(keyOf("a"), 0)).toEqual({ kind: "missing" });
  });
});

describe("a deploy key", () => {
  it("is listed and removed with its repository's only, which has to be there", () => {
    register("one");
    const id = add(deployOf("d", "one"));
    expect(database.sshKeys.add(deployOf("e", "two"), 0)).toEqual({ kind: "missing" });
    expect(database.sshKeys.list({}, "", 10)?.items).toEqual([]);
    expect(database.sshKeys.list({ deploys: "one" }, "", 10)?.items).toMatchObject([{ id, deploys: "one" }]);
    expect(database.sshKeys.remove({}, id)).toBe(false);
    expect(database.sshKeys.remove({ deploys: "two" }, id)).toBe(false);
    expect(database.sshKeys.remove({ deploys: "one" }, id)).toBe(true);
  });

  it("is bounded in number, and pages come in order", () => {
    register("one");
    for (let index = 0; index < MOST_DEPLOY_KEYS; index++) add(deployOf(`d${index}`, "one"));
    expect(database.sshKeys.add(deployOf("more", "one"), 0)).toEqual({ kind: "full" });
    const first = database.sshKeys.list({ deploys: "one" }, "", 60);
    const rest = database.sshKeys.list({ deploys: "one" }, first?.items.at(-1)?.id ?? "", 60);
    expect([first?.more, rest?.more, first?.items.length, rest?.items.length]).toEqual([true, false, 60, 40]);
  });

  it("follows a rename, and goes with its repository: one made anew of the same name is not its", () => {
    const id = register("one");
    add(deployOf("d", "one"));
    add(keyOf("a", { repos: ["one", "two"] }));
    database.repoArrived("renamed", { id, from: "one" });
    expect(checked("d", "renamed")).toMatchObject({ token: { repos: ["renamed"] } });
    expect(checked("a")).toMatchObject({ token: { repos: ["renamed", "two"] } });
    const other = register("two");
    database.endRemoval({ name: "two", id: other });
    expect(checked("a")).toMatchObject({ token: { repos: ["renamed"] } });
    register("three");
    add(deployOf("e", "three"));
    const three = database.beginRemoval("three");
    expect(database.sshKeys.add(deployOf("f", "three"), 0)).toEqual({ kind: "missing" });
    database.endRemoval({ name: "three", id: three?.id ?? "" });
    expect(checked("e", "three")).toBeUndefined();
  });
});
