/**
 * The ports of tenants, over the RPC of their Durable Objects.
 *
 * @packageDocumentation
 */
import type { TenantDirectory, TenantRegistry } from "../access/directory.ts";
import type { PublicList } from "../access/public-list.ts";
import type { LfsLinks } from "../access/lfs-links.ts";
import type { UsageStore } from "../access/usage.ts";
import type { SshKeyStore } from "../access/ssh-key-store.ts";
import type { TokenStore } from "../access/token-store.ts";
import type { DirectoryObject } from "../durable/tenant/directory-object.ts";
import type { TenantObject } from "../durable/tenant/tenant-object.ts";
import type { SigningKeyStore } from "../signing/signing-key.ts";
import type { RequestCounters } from "./request-counters.ts";

/** One tenant: its repositories, its tokens and its keys. */
export type Tenant = TenantRegistry & TokenStore & SigningKeyStore & SshKeyStore & UsageStore & LfsLinks;

/** Opens a tenant, which need not exist. No request is sent before the first call. */
export function durableTenant(object: DurableObjectStub<TenantObject>, counters: RequestCounters): Tenant {
  const call = <T>(operation: () => Promise<T>): Promise<T> => counters.run("do", operation);
  return {
    check: (hash, repo) => call(async () => object.check(hash, repo)),
    facts: (repo) => call(async () => object.facts(repo)),
    issue: (request) => call(async () => object.issue(request)),
    tokens: (after, limit) => call(async () => object.tokens(after, limit)),
    revoke: (id, withChildren) => call(async () => object.revoke(id, withChildren)),
    signingKeys: () => call(async () => object.signingKeys()),
    addSigningKey: (key) => call(async () => object.addSigningKey(key)),
    removeSigningKey: (fingerprint) => call(async () => object.removeSigningKey(fingerprint)),
    hostKey: () => call(async () => object.hostKey()),
    changeHostKey: (key) => call(async () => object.changeHostKey(key)),
    resealHostKey: (old, fresh) => call(async () => object.resealHostKey(old, fresh)),
    checkSshKey: (fingerprint, repo) => call(async () => object.checkSshKey(fingerprint, repo)),
    addSshKey: (request) => call(async () => object.addSshKey(request)),
    sshKeys: (place, after, limit) => call(async () => object.sshKeys(place, after, limit)),
    removeSshKey: (place, id) => call(async () => object.removeSshKey(place, id)),
    describe: () => call(async () => object.describe()),
    create: (settings, spelled) => call(async () => object.create(settings, spelled)),
    change: (change) => call(async () => object.change(change)),
    remove: () => call(async () => object.remove()),
    register: (request) => call(async () => object.register(request)),
    removeRepo: (repo) => call(async () => object.removeRepo(repo)),
    retractRepo: (repo, id) => call(async () => object.retractRepo(repo, id)),
    doubtRepo: (repo) => call(async () => object.doubtRepo(repo)),
    repoArrived: (repo, arrived) => call(async () => object.repoArrived(repo, arrived)),
    repoDeparted: (repo, id) => call(async () => object.repoDeparted(repo, id)),
    noteOffload: (repo, offloadFrom) => call(async () => object.noteOffload(repo, offloadFrom)),
    noteVisibility: (repo, visibility) => call(async () => object.noteVisibility(repo, visibility)),
    allowance: (repo) => call(async () => object.allowance(repo)),
    usage: (request) => call(async () => object.usage(request)),
    audit: (entry) => call(async () => object.audit(entry)),
    auditLog: (query) => call(async () => object.auditLog(query)),
    mirrors: (query) => call(async () => object.mirrors(query)),
    hooks: () => call(async () => object.hooks()),
    addHook: (hook) => call(async () => object.addHook(hook)),
    changeHook: (id, change) => call(async () => object.changeHook(id, change)),
    removeHook: (id) => call(async () => object.removeHook(id)),
    linkLfs: (oid, repositoryId) => call(async () => object.linkLfs(oid, repositoryId)),
    linkAllLfs: (oids, repositoryId) => call(async () => object.linkAllLfs(oids, repositoryId)),
    unlinkLfs: (oids, repositoryId) => call(async () => object.unlinkLfs(oids, repositoryId)),
    lfsDeleted: (oids) => call(async () => object.lfsDeleted(oids)),
    belongings: () => call(async () => object.belongings()),
    takeOver: (belongings) => call(async () => object.takeOver(belongings)),
    repos: (after, limit) => call(async () => object.repos(after, limit)),
  };
}

/** Opens the list of tenants. */
export function durableDirectory(
  object: DurableObjectStub<DirectoryObject>,
  counters: RequestCounters,
): TenantDirectory & PublicList {
  return {
    publicRepos: (query) => counters.run("do", async () => object.publicRepos(query)),
    tenants: (after, limit) => counters.run("do", async () => object.tenants(after, limit)),
    earlierSpellings: (name) => counters.run("do", async () => object.earlierSpellings(name)),
  };
}
