/**
 * The bodies of webhook deliveries. They have the members of GitHub's bodies that receivers use, with the same names
 * and meanings, and a few of thinpack's own. They leave out members that would take reading objects (`commits`,
 * `head_commit`, `compare`). So a delivery does not depend on the state of the bucket, and a push of a million commits
 * does not make a huge body.
 *
 * @packageDocumentation
 */
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

function describe({ name, origin, repository }: PayloadContext): object {
  const [tenant = "", repo = ""] = name.split("/");
  const branch = refKind(repository.head)?.short ?? repository.head;
  const url = `${origin}/${name}.git`;
  return {
    id: repository.id,
    name: repo,
    full_name: name,
    owner: { name: tenant, login: tenant },
    private: repository.visibility === "private",
    visibility: repository.visibility,
    description: repository.description,
    url: `${origin}/api/v1/repos/${name}`,
    html_url: `${origin}/${name}`,
    clone_url: url,
    git_url: url,
    default_branch: branch,
    created_at: time(repository.createdAt),
    pushed_at: time(repository.pushedAt),
  };
}

function pushBody(happening: Happening): object {
  const created = isNone(happening.oldOid);
  const deleted = isNone(happening.newOid);
  return {
    ref: happening.ref,
    before: happening.oldOid,
    after: happening.newOid,
    created,
    deleted,
    // Not every update is examined. Null says that it is unknown whether the branch was rewritten.
    forced: created || deleted || happening.forward ? false : null,
    push_options: happening.options,
  };
}

function namedBody(happening: Happening, event: "create" | "delete", { repository }: PayloadContext): object {
  const ref = refKind(happening.ref);
  const body = { ref: ref?.short ?? happening.ref, ref_type: ref?.kind ?? "ref", pusher_type: "user" };
  if (event === "delete") return { ...body, before: happening.oldOid };
  const branch = refKind(repository.head)?.short ?? repository.head;
  return { ...body, after: happening.newOid, master_branch: branch, description: repository.description };
}

function pingBody({ hook }: PayloadContext): object {
  return {
    hook_id: hook.id,
    hook: { type: "Repository", id: hook.id, active: hook.active, events: hook.events, config: { url: hook.url } },
  };
}

function eventBody(event: DeliveryEvent, happening: Happening | undefined, context: PayloadContext): object {
  if (event === "ping") return pingBody(context);
  // The `push` events tell which refs a sync updated.
  if (event === "sync" || happening === undefined) return {};
  if (event === "create" || event === "delete") return namedBody(happening, event, context);
  return pushBody(happening);
}

/** Returns the body of a delivery, as JSON. `happening` is absent for a `ping`. */
export function formatPayload(event: DeliveryEvent, happening: Happening | undefined, context: PayloadContext): string {
  const name = happening?.actorName ?? happening?.actor;
  const by =
    happening === undefined
      ? {}
      : {
          pusher: { name },
          sender: { login: name },
          actor: happening.actor,
          seq: happening.seq,
          at: time(happening.at),
        };
  return JSON.stringify({ ...eventBody(event, happening, context), repository: describe(context), ...by });
}
