/**
 * The bodies of webhook deliveries. They have the members of GitHub's bodies, with the same names and meanings, and a
 * few of thinpack's own. The commits of a push are bounded. Where they can't be read, the list is empty: a delivery does
 * not depend on the state of the bucket.
 *
 * @packageDocumentation
 */
import { numberOf, organizationShape, repositoryShape, userShape } from "./github-shapes.ts";
import { lockBody, type LockChange } from "./lock-change.ts";
import { statusBody, type ToldStatus } from "./status-payload.ts";
import type { PushContent, PushedCommit } from "./push-content.ts";
import type { DeliveryEvent, Happening, Hook, HookedRepository } from "./hook.ts";

const BRANCHES = "refs/heads/";
const TAGS = "refs/tags/";

/** Returns the kind and the short name of a branch or tag; `undefined` for any other ref. */
export function refKind(name: string): { readonly kind: "branch" | "tag"; readonly short: string } | undefined {
  if (name.startsWith(BRANCHES)) return { kind: "branch", short: name.slice(BRANCHES.length) };
  return name.startsWith(TAGS) ? { kind: "tag", short: name.slice(TAGS.length) } : undefined;
}

/** Whether a hexadecimal object name is all zeros, which in git stands for "no object". */
export function isNone(oid: string): boolean {
  return /^0+$/.test(oid);
}

/** The data that the bodies of all deliveries of one webhook share. */
export type PayloadContext = {
  readonly hook: Hook;
  /** The name of the repository: `{tenant}/{repo}`. */
  readonly name: string;
  readonly origin: string;
  readonly repository: HookedRepository;
};

const time = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString());

function branchOf({ repository }: PayloadContext): string {
  return refKind(repository.head)?.short ?? repository.head;
}

function commitShape(commit: PushedCommit, { origin, name }: PayloadContext): object {
  const { id, tree, message, timestamp, author, committer, added, removed, modified } = commit;
  return {
    id,
    tree_id: tree,
    distinct: true,
    message,
    // A time that can't be expressed is that of the epoch: receivers have to find one.
    timestamp: timestamp ?? "1970-01-01T00:00:00+00:00",
    url: `${origin}/${name}/commit/${id}`,
    author: { ...author, username: author.name },
    committer: { ...committer, username: committer.name },
    added,
    removed,
    modified,
  };
}

function pushBody(happening: Happening, context: PayloadContext, content: PushContent | undefined): object {
  const { oldOid, newOid, ref } = happening;
  const [created, deleted] = [isNone(oldOid), isNone(newOid)];
  const { commits = [], head, forced = !happening.forward } = content ?? {};
  const range = created ? newOid : `${oldOid}...${newOid}`;
  return {
    ref,
    before: oldOid,
    after: newOid,
    created,
    deleted,
    forced: !created && !deleted && forced,
    base_ref: null,
    compare: `${context.origin}/${context.name}/${created ? "commit" : "compare"}/${deleted ? oldOid : range}`,
    commits: commits.map((commit) => commitShape(commit, context)),
    head_commit: head === undefined ? null : commitShape(head, context),
    push_options: happening.options,
  };
}

function namedBody(happening: Happening, event: "create" | "delete", context: PayloadContext): object {
  const ref = refKind(happening.ref);
  const body = { ref: ref?.short ?? happening.ref, ref_type: ref?.kind ?? "ref", pusher_type: "user" };
  if (event === "delete") return { ...body, before: happening.oldOid };
  const { description } = context.repository;
  return { ...body, after: happening.newOid, master_branch: branchOf(context), description };
}

/** What a `ping` tells of a webhook: of a repository's, or of a tenant's. */
type PingedHook = Pick<Hook, "id" | "url" | "active" | "createdAt" | "updatedAt"> & {
  readonly events: readonly string[];
};

function pingBody(hook: PingedHook, type: "Repository" | "Organization", url: string): object {
  return {
    zen: "Packs are immutable.",
    hook_id: numberOf(hook.id),
    hook: {
      type,
      id: numberOf(hook.id),
      name: "web",
      active: hook.active,
      events: hook.events,
      config: { content_type: "json", insecure_ssl: "0", url: hook.url },
      created_at: time(hook.createdAt),
      updated_at: time(hook.updatedAt),
      url,
      test_url: `${url}/tests`,
      ping_url: `${url}/pings`,
      deliveries_url: `${url}/deliveries`,
      last_response: { code: null, status: "unused", message: null },
    },
  };
}

/** Returns the body of a `ping` to a tenant's webhook, as JSON. */
export function formatTenantPing(hook: PingedHook, tenant: string, origin: string): string {
  const url = `${origin}/api/v1/tenants/${tenant}/hooks/${hook.id}`;
  const user = userShape(tenant, origin);
  const organization = organizationShape(tenant, origin);
  return JSON.stringify({ ...pingBody(hook, "Organization", url), organization, sender: user });
}

/** What a delivery tells. */
export type Told = {
  readonly event: DeliveryEvent;
  /** Absent for a `ping`, and where no ref moved. */
  readonly happening?: Happening;
  /** The commits of a push, if they could be read. */
  readonly content?: PushContent | undefined;
  /** Why a sync failed. */
  readonly error?: string;
  /** The status that was set. */
  readonly status?: ToldStatus;
  /** The lock that was made or given back. */
  readonly lock?: LockChange;
};

function eventBody({ event, happening, content, error, status, lock }: Told, context: PayloadContext): object {
  const { hook, origin, name } = context;
  if (event === "ping") return pingBody(hook, "Repository", `${origin}/api/v1/repos/${name}/hooks/${hook.id}`);
  if (event === "sync_failed") return { error: error ?? null };
  if (status !== undefined) return statusBody(status, context);
  if (lock !== undefined) return lockBody(lock);
  // The `push` events tell which refs a sync updated.
  if (event === "sync" || happening === undefined) return {};
  if (event === "create" || event === "delete") return namedBody(happening, event, context);
  return pushBody(happening, context, content);
}

/** Returns the body of a delivery, as JSON. */
export function formatPayload(told: Told, context: PayloadContext): string {
  const { happening, status, lock } = told;
  const { origin, name, repository } = context;
  const [tenant = ""] = name.split("/");
  const doer = happening ?? status?.status;
  const by = doer?.actorName ?? doer?.actor ?? lock?.by ?? tenant;
  const seq = happening === undefined ? {} : { seq: happening.seq };
  const own = doer === undefined ? {} : { actor: doer.actor, ...seq, at: time(doer.at) };
  const inSeconds = told.event === "push";
  return JSON.stringify({
    ...eventBody(told, context),
    repository: repositoryShape({ name, origin, repository, branch: branchOf(context), inSeconds }),
    ...(told.event === "push" ? { pusher: { name: by, email: null } } : {}),
    sender: userShape(by, origin),
    ...own,
  });
}
