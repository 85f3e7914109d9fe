/**
 * What every tenant has to do: its life, its tokens, its list of repositories. Run on the tables in memory and on the Durable Object
 * in workerd.
 *
 * @packageDocumentation
 */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { DEFAULT_TENANT, type RegisterRequest, type TenantRegistry } from "../../src/access/directory.ts";
import type { UsageReport } from "../../src/access/quotas.ts";
import type { IssueAnswer, IssueRequest, TokenStore } from "../../src/access/token-store.ts";

/** What the suite runs on. */
export type TenantUnderTest = TenantRegistry &
  TokenStore & {
    /** As a repository's object tells it. */
    noteUsage(report: UsageReport): Promise<void>;
  };

/** The SHA-256 of a token's text. */
export const hashOf = (text: string): Uint8Array => new Uint8Array(createHash("sha256").update(text).digest());

/** Asks a tenant's own admin to enter a repository through the API. */
export const wanted = (repo: string, more: Partial<RegisterRequest> = {}): RegisterRequest => ({
  repo,
  objectFormat: "sha1",
  visibility: "private",
  byPush: false,
  byOperator: false,
  ...more,
});

/** A token to be, with the SHA-256 of `text`. */
export const tokenOf = (text: string, more: Partial<IssueRequest> = {}): IssueRequest => ({
  hash: hashOf(text),
  name: text,
  scopes: ["repo:read"],
  ...more,
});

/** Runs the suite; `open` gives a name that has no tenant yet. */
export function tenantSuite(name: string, open: () => Promise<TenantUnderTest>): void {
  describe(`tenant: ${name}`, () => {
    lifeCases(open);
    tokenCases(open);
    repoCases(open);
    usageCases(open);
  });
}

function lifeCases(open: () => Promise<TenantUnderTest>): void {
  it("a tenant does not exist until it is made", async () => {
    const tenant = await open();
    expect(await tenant.describe()).toBeUndefined();
    expect(await tenant.change({ pushToCreate: false })).toBeUndefined();
    expect(await tenant.remove()).toBe(false);
    expect(await tenant.repos("", 10)).toBeUndefined();
    expect(await tenant.tokens("", 10)).toBeUndefined();
    expect(await tenant.issue(tokenOf("a"))).toEqual({ kind: "missing" });
    expect(await tenant.check(hashOf("a"))).toBeUndefined();
    expect(await tenant.facts("one")).toBeUndefined();
    expect(await tenant.revoke("a")).toBe(0);
    expect(await tenant.register(wanted("one"))).toEqual({ kind: "refused", why: "missing-tenant" });
    expect(await tenant.removeRepo("one")).toBe(false);
    expect(await tenant.describe()).toBeUndefined();
  });

  it("a tenant is made of what another name's object had, and one that exists stays as it is", async () => {
    const [from, to, other] = [await open(), await open(), await open()];
    expect(await from.belongings()).toBeUndefined();
    await from.create({ ...DEFAULT_TENANT, quotas: { repos: 3 } });
    await from.issue(tokenOf("a"));
    const belongings = await from.belongings();
    if (belongings === undefined) throw new Error("nothing there");
    expect(await to.takeOver(belongings)).toBe(true);
    expect(await to.describe()).toMatchObject({ ...belongings.record, repoCount: 0 });
    expect((await to.check(hashOf("a")))?.token).toMatchObject({ name: "a" });
    await other.create(DEFAULT_TENANT);
    expect(await other.takeOver(belongings)).toBe(false);
    expect(await other.check(hashOf("a"))).toBeUndefined();
  });

  it("a tenant is made once, and a change leaves what it does not name", async () => {
    const tenant = await open();
    const made = await tenant.create(DEFAULT_TENANT);
    expect(made).toMatchObject({ kind: "created", record: { repoCount: 0, settings: DEFAULT_TENANT } });
    expect(await tenant.create({ pushToCreate: false, quotas: { repos: 1 } })).toEqual({ ...made, kind: "exists" });
    const quotas = { repos: 1, bytes: 2, objects: 3, blobBytes: 4 };
    expect(await tenant.change({ quotas })).toMatchObject({ settings: { pushToCreate: true, quotas } });
    expect(await tenant.change({ pushToCreate: false })).toMatchObject({ settings: { pushToCreate: false, quotas } });
    expect(await tenant.change({ quotas: { bytes: 0 } })).toMatchObject({ settings: { quotas: { bytes: 0 } } });
    expect((await tenant.describe())?.settings).toEqual({ pushToCreate: false, quotas: { bytes: 0 } });
  });

  it("a tenant may have its own minimum for the intervals of mirrors, and lose it again", async () => {
    const tenant = await open();
    await tenant.create({ ...DEFAULT_TENANT, leastMirrorInterval: 300 });
    expect((await tenant.change({ pushToCreate: true }))?.settings).toMatchObject({ leastMirrorInterval: 300 });
    expect((await tenant.change({ leastMirrorInterval: 10 }))?.settings).toMatchObject({ leastMirrorInterval: 10 });
    expect((await tenant.change({ leastMirrorInterval: 0 }))?.settings).toEqual(DEFAULT_TENANT);
  });

  it("a deleted tenant leaves nothing to the next of its name", async () => {
    const tenant = await open();
    await tenant.create({ pushToCreate: false, quotas: { repos: 5 } });
    await tenant.issue(tokenOf("old"));
    await tenant.register(wanted("one"));
    expect(await tenant.remove()).toBe(true);
    expect(await tenant.check(hashOf("old"))).toBeUndefined();
    expect(await tenant.describe()).toBeUndefined();
    expect(await tenant.create(DEFAULT_TENANT)).toMatchObject({
      kind: "created",
      record: { settings: DEFAULT_TENANT },
    });
    expect(await tenant.check(hashOf("old"))).toBeUndefined();
    expect(await tenant.tokens("", 10)).toEqual({ items: [], more: false });
    expect(await tenant.repos("", 10)).toEqual({ items: [], more: false });
  });
}

function tokenCases(open: () => Promise<TenantUnderTest>): void {
  const made = async (): Promise<TenantUnderTest> => {
    const tenant = await open();
    await tenant.create(DEFAULT_TENANT);
    return tenant;
  };

  it("knows a token by its hash until it is revoked", async () => {
    const tenant = await made();
    const issued = await tenant.issue(tokenOf("a", { scopes: ["repo:read", "repo:write"], repos: ["one"] }));
    if (issued.kind !== "issued") throw new Error(issued.kind);
    expect(issued.token).toMatchObject({ name: "a", scopes: ["repo:read", "repo:write"], repos: ["one"] });
    expect(issued.token).not.toHaveProperty("usedAt");
    expect((await tenant.check(hashOf("a")))?.token).toMatchObject({ id: issued.token.id, repos: ["one"] });
    expect(await tenant.check(hashOf("b"))).toBeUndefined();
    expect(await tenant.check(hashOf("a").subarray(1))).toBeUndefined();
    expect(await tenant.revoke("other")).toBe(0);
    expect(await tenant.revoke(issued.token.id)).toBe(1);
    expect(await tenant.check(hashOf("a"))).toBeUndefined();
    expect(await tenant.revoke(issued.token.id)).toBe(0);
  });

  it("lets a token make none that outlives or outranks it", async () => {
    const tenant = await made();
    const issue = async (text: string, more: Partial<IssueRequest>): Promise<IssueAnswer> =>
      await tenant.issue(tokenOf(text, more));
    const idOf = (answer: IssueAnswer): string => (answer.kind === "issued" ? answer.token.id : answer.kind);
    const end = Date.now() + 60_000;
    const maker = idOf(await issue("m", { scopes: ["repo:read", "repo:write"], repos: ["a", "b"], expiresAt: end }));
    const by = { createdBy: maker, repos: ["a"] };
    expect(await issue("1", by)).toMatchObject({ token: { createdBy: maker, expiresAt: end, repos: ["a"] } });
    expect(await issue("2", { ...by, expiresAt: end - 1 })).toMatchObject({ token: { expiresAt: end - 1 } });
    expect(await issue("3", { ...by, expiresAt: end + 1 })).toEqual({ kind: "excess", of: "expiry" });
    expect(await issue("4", { ...by, scopes: ["tenant:admin"] })).toEqual({ kind: "excess", of: "scopes" });
    expect(await issue("5", { ...by, repos: ["a", "c"] })).toEqual({ kind: "excess", of: "repos" });
    expect(await issue("6", { createdBy: maker })).toEqual({ kind: "excess", of: "repos" });
    expect(await issue("7", { createdBy: "nobody" })).toEqual({ kind: "no-maker" });
    const past = idOf(await issue("past", { expiresAt: Date.now() - 1 }));
    expect(await issue("8", { createdBy: past })).toEqual({ kind: "no-maker" });
  });

  it("revokes a token's descendants with it if the request says so", async () => {
    const tenant = await made();
    const issue = async (text: string, createdBy?: string): Promise<string> => {
      const answer = await tenant.issue(tokenOf(text, createdBy === undefined ? {} : { createdBy }));
      if (answer.kind !== "issued") throw new Error(answer.kind);
      return answer.token.id;
    };
    const maker = await issue("maker");
    const child = await issue("child", maker);
    await issue("second", maker);
    await issue("grandchild", child);
    await issue("other");
    const counts = (await tenant.tokens("", 10))?.items.map(({ name, children }) => [name, children]);
    expect(Object.fromEntries(counts ?? [])).toEqual({ maker: 2, child: 1, second: 0, grandchild: 0, other: 0 });
    expect(await tenant.revoke("nobody", true)).toBe(0);
    expect(await tenant.revoke(maker, true)).toBe(4);
    expect((await tenant.tokens("", 10))?.items.map(({ name }) => name)).toEqual(["other"]);
  });

  it("revokes descendants of tokens that were revoked alone before", async () => {
    const tenant = await made();
    const issue = async (text: string, createdBy?: string): Promise<string> => {
      const answer = await tenant.issue(tokenOf(text, createdBy === undefined ? {} : { createdBy }));
      if (answer.kind !== "issued") throw new Error(answer.kind);
      return answer.token.id;
    };
    const names = async (): Promise<string[]> => ((await tenant.tokens("", 10))?.items ?? []).map(({ name }) => name);
    const chain = await issue("first");
    const second = await issue("second", chain);
    const third = await issue("third", second);
    await issue("fourth", third);
    // In the middle, then at the end, then at the beginning.
    expect(await tenant.revoke(third)).toBe(1);
    expect(await tenant.revoke(second)).toBe(1);
    expect((await names()).toSorted()).toEqual(["first", "fourth"]);
    expect(await tenant.revoke(chain)).toBe(1);
    expect(await names()).toEqual(["fourth"]);
    // A token that is gone still names those that came of it, and nothing is left when they are gone.
    expect(await tenant.revoke(chain)).toBe(0);
    expect(await tenant.revoke(second, true)).toBe(1);
    expect(await names()).toEqual([]);
    expect(await tenant.revoke(chain, true)).toBe(0);

    const maker = await issue("maker");
    const between = await issue("between", maker);
    await issue("leaf", between);
    expect(await tenant.revoke(between)).toBe(1);
    expect(await tenant.revoke(maker, true)).toBe(2);
    expect(await names()).toEqual([]);
  });

  it("notes that a token was used", async () => {
    const tenant = await made();
    await tenant.issue(tokenOf("a"));
    await tenant.check(hashOf("a"));
    expect((await tenant.tokens("", 10))?.items[0]).toHaveProperty("usedAt");
  });

  it("knows no token that has expired", async () => {
    const tenant = await made();
    await tenant.issue(tokenOf("past", { expiresAt: Date.now() - 1 }));
    await tenant.issue(tokenOf("later", { expiresAt: Date.now() + 60_000 }));
    expect(await tenant.check(hashOf("past"))).toBeUndefined();
    expect(await tenant.check(hashOf("later"))).toBeDefined();
  });

  it("lists tokens page by page", async () => {
    const tenant = await made();
    for (const text of ["a", "b", "c"]) await tenant.issue(tokenOf(text));
    const first = await tenant.tokens("", 2);
    expect(first).toMatchObject({ items: [{}, {}], more: true });
    const second = await tenant.tokens(first?.items[1]?.id ?? "", 2);
    expect(second).toMatchObject({ items: [{}], more: false });
    const names = [...(first?.items ?? []), ...(second?.items ?? [])].map((token) => token.name);
    expect(new Set(names)).toEqual(new Set(["a", "b", "c"]));
  });

  it("returns with a token what it lists of the repository that the token is used on", async () => {
    const tenant = await made();
    await tenant.issue(tokenOf("a"));
    expect(await tenant.check(hashOf("a"), "one")).not.toHaveProperty("listed");
    await tenant.register(wanted("one", { objectFormat: "sha256" }));
    expect(await tenant.check(hashOf("a"), "one")).toMatchObject({ listed: "sha256" });
    expect(await tenant.check(hashOf("a"))).not.toHaveProperty("listed");
    await tenant.change({ pushToCreate: false });
    expect(await tenant.check(hashOf("a"), "two")).toMatchObject({ takesNoMore: "no-push-to-create" });
    await tenant.change({ pushToCreate: true, quotas: { repos: 1 } });
    expect(await tenant.check(hashOf("a"), "two")).toMatchObject({ takesNoMore: "repo-quota" });
  });
}

function repoCases(open: () => Promise<TenantUnderTest>): void {
  it("gives a repository one id until it is gone, and then another", async () => {
    const tenant = await open();
    await tenant.create(DEFAULT_TENANT);
    const first = await tenant.register(wanted("one"));
    expect(first).toMatchObject({ kind: "registered", id: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(await tenant.register(wanted("one", { byPush: true }))).toEqual(first);
    expect((await tenant.describe())?.repoCount).toBe(1);
    await tenant.removeRepo("one");
    expect((await tenant.describe())?.repoCount).toBe(0);
    expect(await tenant.register(wanted("one"))).not.toEqual(first);
  });

  it("only the operator, whom nothing bounds, makes a tenant by making its first repository", async () => {
    const tenant = await open();
    expect(await tenant.register(wanted("one", { byOperator: true, byPush: true }))).toMatchObject({
      kind: "registered",
    });
    expect(await tenant.describe()).toMatchObject({ repoCount: 1, settings: DEFAULT_TENANT });
    await tenant.change({ pushToCreate: false, quotas: { repos: 0 } });
    expect(await tenant.register(wanted("two", { byOperator: true, byPush: true }))).toMatchObject({
      kind: "registered",
    });
  });

  it("takes repositories up to its quota, and by a push only if its settings allow it", async () => {
    const tenant = await open();
    await tenant.create({ pushToCreate: false, quotas: { repos: 2 } });
    expect(await tenant.register(wanted("one", { byPush: true }))).toEqual({
      kind: "refused",
      why: "no-push-to-create",
    });
    expect(await tenant.register(wanted("one"))).toMatchObject({ kind: "registered" });
    // It is there: nothing is made.
    expect(await tenant.register(wanted("one", { byPush: true }))).toMatchObject({ kind: "registered" });
    const race = await Promise.all(["two", "three", "four"].map((repo) => tenant.register(wanted(repo))));
    expect(race.filter(({ kind }) => kind === "registered")).toHaveLength(1);
    expect(race.filter((answer) => answer.kind === "refused" && answer.why === "repo-quota")).toHaveLength(2);
    await tenant.removeRepo("one");
    expect(await tenant.register(wanted("five"))).toMatchObject({ kind: "registered" });
  });

  it("removes a deleted repository from the tokens that name it", async () => {
    const tenant = await open();
    await tenant.create(DEFAULT_TENANT);
    for (const repo of ["one", "two"]) await tenant.register(wanted(repo));
    await tenant.issue(tokenOf("both", { repos: ["one", "two"] }));
    await tenant.issue(tokenOf("one", { repos: ["one"] }));
    await tenant.issue(tokenOf("all"));
    await tenant.removeRepo("one");
    expect((await tenant.check(hashOf("both")))?.token.repos).toEqual(["two"]);
    expect((await tenant.check(hashOf("one")))?.token.repos).toEqual([]);
    expect((await tenant.check(hashOf("all")))?.token).not.toHaveProperty("repos");
  });

  it("lists repositories by name, in the order of bytes", async () => {
    const tenant = await open();
    await tenant.create(DEFAULT_TENANT);
    for (const repo of ["b", "a", "_", "B", "a-b", "a.b"]) await tenant.register(wanted(repo));
    expect(await tenant.repos("", 10)).toEqual({ items: ["B", "_", "a", "a-b", "a.b", "b"], more: false });
    expect(await tenant.repos("_", 2)).toEqual({ items: ["a", "a-b"], more: true });
    expect(await tenant.repos("a-b", 2)).toEqual({ items: ["a.b", "b"], more: false });
  });
}

function usageCases(open: () => Promise<TenantUnderTest>): void {
  /** A tenant with two repositories; gives how each of them reports. */
  const made = async (): Promise<{
    tenant: TenantUnderTest;
    tell: (repo: string, version: number, bytes: number, objects: number) => Promise<void>;
  }> => {
    const tenant = await open();
    await tenant.create({ pushToCreate: true, quotas: { bytes: 1000, objects: 50, blobBytes: 7, repos: 9 } });
    const ids = new Map<string, string>();
    for (const repo of ["one", "two"]) {
      const answer = await tenant.register(wanted(repo));
      ids.set(repo, answer.kind === "registered" ? answer.id : "");
    }
    return {
      tenant,
      tell: (repo, version, bytes, objects) =>
        tenant.noteUsage({ repo, id: ids.get(repo) ?? "", version, bytes, objects }),
    };
  };
  const usageOf = async (tenant: TenantUnderTest): Promise<unknown> => (await tenant.describe())?.usage;

  it("sums its repositories' usage, each by its newest report", async () => {
    const { tenant, tell } = await made();
    expect(await usageOf(tenant)).toEqual({ bytes: 0, objects: 0 });
    await tell("one", 3, 300, 3);
    await tell("two", 1, 50, 5);
    expect(await usageOf(tenant)).toEqual({ bytes: 350, objects: 8 });
    await tell("one", 3, 300, 3);
    await tell("one", 2, 999, 9);
    expect(await usageOf(tenant)).toEqual({ bytes: 350, objects: 8 });
    await tell("one", 4, 10, 1);
    expect(await usageOf(tenant)).toEqual({ bytes: 60, objects: 6 });
  });

  it("forgets a deleted repository's usage, and ignores its later reports", async () => {
    const { tenant, tell } = await made();
    await tell("one", 3, 300, 3);
    await tell("two", 1, 50, 5);
    await tenant.removeRepo("one");
    expect(await usageOf(tenant)).toEqual({ bytes: 50, objects: 5 });
    await tell("one", 4, 400, 4);
    expect(await usageOf(tenant)).toEqual({ bytes: 50, objects: 5 });
    // Nor does the next of that name answer for it.
    await tenant.register(wanted("one"));
    await tell("one", 9, 900, 9);
    expect(await usageOf(tenant)).toEqual({ bytes: 50, objects: 5 });
    await tenant.noteUsage({ repo: "never", id: "0".repeat(32), version: 1, bytes: 1, objects: 1 });
    expect(await usageOf(tenant)).toEqual({ bytes: 50, objects: 5 });
  });

  it("returns, with a token and for the operator, the usage of the other repositories", async () => {
    const { tenant, tell } = await made();
    await tenant.issue(tokenOf("a"));
    await tell("one", 3, 300, 3);
    await tell("two", 1, 50, 5);
    const bounds = { bytes: 1000, objects: 50, blobBytes: 7 };
    const of = async (repo?: string): Promise<unknown> => (await tenant.check(hashOf("a"), repo))?.allowance;
    expect(await of("one")).toEqual({ ...bounds, elsewhere: { bytes: 50, objects: 5 } });
    expect(await of("two")).toEqual({ ...bounds, elsewhere: { bytes: 300, objects: 3 } });
    expect(await of("three")).toEqual({ ...bounds, elsewhere: { bytes: 350, objects: 8 } });
    expect(await tenant.allowance("two")).toEqual(await of("two"));
    expect(await tenant.allowance("three")).toEqual(await of("three"));
    expect(await (await open()).allowance("one")).toBeUndefined();
  });

  it("retracts a repository that nobody made, and frees its name and its place", async () => {
    const { tenant } = await made();
    const added = await tenant.register(wanted("three"));
    const before = (await tenant.describe())?.repoCount ?? 0;
    await tenant.retractRepo("three", added.kind === "registered" ? added.id : "");
    expect((await tenant.describe())?.repoCount).toBe(before - 1);
    expect(await tenant.repos("", 10)).toMatchObject({ items: ["one", "two"] });
  });

  it("leaves the tokens for a name alone where a first push made nothing: the next one is theirs, too", async () => {
    const { tenant } = await made();
    await tenant.issue(tokenOf("waits", { repos: ["three"] }));
    const added = await tenant.register(wanted("three"));
    await tenant.retractRepo("three", added.kind === "registered" ? added.id : "");
    expect((await tenant.check(hashOf("waits")))?.token).toMatchObject({ repos: ["three"] });
  });

  it("a deleted tenant leaves no usage to the next of its name", async () => {
    const { tenant, tell } = await made();
    await tell("one", 3, 300, 3);
    await tenant.remove();
    await tenant.create(DEFAULT_TENANT);
    expect(await usageOf(tenant)).toEqual({ bytes: 0, objects: 0 });
  });
}
