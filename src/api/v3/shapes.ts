/**
 * The shapes of GitHub's answers, made from those of version 1. Members that mean nothing here are there where clients
 * look for them, and say that there is nothing.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import * as v from "valibot";
import { percentEncoded } from "../../http/content-address.ts";
import { type CommitStatus } from "../../refs/commit-statuses.ts";
import { numberOf, userShape } from "../../events/github-shapes.ts";
import { byteTextOf } from "../../object/escaped-bytes.ts";
import type { ApiEnv } from "../api-host.ts";

/** Where a request's repository is: the addresses that answers name begin with these. */
export type Place = {
  readonly origin: string;
  /** `{tenant}/{repo}` as the request has it. */
  readonly name: string;
  /** The repository's address in this API. */
  readonly api: string;
  /** The address of its pages. */
  readonly html: string;
};

/** Returns the place of a request's repository. */
export function placeOf(context: Context<ApiEnv>): Place {
  const { tenant = "", repo = "" } = context.req.param(); // Every route here has both.
  const { origin } = new URL(context.req.url);
  const name = `${tenant}/${repo}`;
  return { origin, name, api: `${origin}/api/v3/repos/${name}`, html: `${origin}/${name}` };
}

/** Encodes a path or the name of a ref, as escaped text, for an address: slashes stay. */
export function encodedPath(text: string): string {
  return percentEncoded(byteTextOf(text));
}

const person = v.nullable(v.object({ name: v.string(), email: v.string(), time: v.number() }));

/** A commit as version 1 shows it. */
export const commitJson = v.object({
  oid: v.string(),
  tree: v.string(),
  parents: v.array(v.string()),
  author: person,
  committer: person,
  message: v.string(),
  /** Whether something of it is too long to be shown whole. GitHub has no such member. */
  truncated: v.optional(v.literal(true)),
});

/** A commit as version 1 shows it. */
export type CommitJson = v.InferOutput<typeof commitJson>;

const LAST_TIME = 253_402_300_799;

/** Returns a person and a moment; a moment that can't be expressed is that of the epoch. */
export function personShape(shown: v.InferOutput<typeof person>): object | null {
  if (shown === null) return null;
  const { name, email, time } = shown;
  const date = new Date((time <= LAST_TIME ? time : 0) * 1000).toISOString().replace(".000Z", "Z");
  return { name, email, date };
}

const UNVERIFIED = { verified: false, reason: "unsigned", signature: null, payload: null, verified_at: null };

function truncatedShape({ truncated }: CommitJson): { readonly truncated?: true } {
  return truncated === undefined ? {} : { truncated };
}

/** Returns a commit as git has it: `GET …/git/commits/{sha}`. */
export function gitCommitShape(place: Place, commit: CommitJson): object {
  const { oid, tree, parents, message } = commit;
  const parentShape = (sha: string): object => ({
    sha,
    url: `${place.api}/git/commits/${sha}`,
    html_url: `${place.html}/commit/${sha}`,
  });
  return {
    sha: oid,
    node_id: oid,
    url: `${place.api}/git/commits/${oid}`,
    html_url: `${place.html}/commit/${oid}`,
    author: personShape(commit.author),
    committer: personShape(commit.committer),
    tree: { sha: tree, url: `${place.api}/git/trees/${tree}` },
    message: message.replace(/\n$/, ""),
    parents: parents.map(parentShape),
    verification: UNVERIFIED,
    ...truncatedShape(commit),
  };
}

/** Returns a commit as lists have it. No user is known by an address of mail, so that authors are `null`. */
export function commitShape(place: Place, commit: CommitJson): object {
  const { oid, tree, parents, message } = commit;
  return {
    sha: oid,
    node_id: oid,
    commit: {
      author: personShape(commit.author),
      committer: personShape(commit.committer),
      message: message.replace(/\n$/, ""),
      tree: { sha: tree, url: `${place.api}/git/trees/${tree}` },
      url: `${place.api}/git/commits/${oid}`,
      comment_count: 0,
      verification: UNVERIFIED,
    },
    url: `${place.api}/commits/${oid}`,
    html_url: `${place.html}/commit/${oid}`,
    comments_url: `${place.api}/commits/${oid}/comments`,
    author: null,
    committer: null,
    parents: parents.map((sha) => ({
      sha,
      url: `${place.api}/commits/${sha}`,
      html_url: `${place.html}/commit/${sha}`,
    })),
    ...truncatedShape(commit),
  };
}

/** Returns a ref, with the type of the object that it names. */
export function refShape(place: Place, { ref, sha, type }: Readonly<Record<"ref" | "sha" | "type", string>>): object {
  return {
    ref,
    node_id: ref,
    url: `${place.api}/git/${encodedPath(ref)}`,
    object: { type, sha, url: `${place.api}/git/${type}s/${sha}` },
  };
}

/** Returns a status of a commit. */
export function statusShape(place: Place, oid: string, status: CommitStatus): object {
  const { id, context, state, description, targetUrl, actor, actorName, at } = status;
  const time = new Date(at).toISOString();
  return {
    url: `${place.api}/statuses/${oid}`,
    avatar_url: `${place.origin}/favicon.ico`,
    id,
    node_id: `${oid}-${id}`,
    state,
    description: description === "" ? null : description,
    target_url: targetUrl === "" ? null : targetUrl,
    context,
    created_at: time,
    updated_at: time,
    creator: userShape(actorName ?? actor, place.origin),
  };
}

/** A webhook as version 1 shows it. */
export const hookJson = v.object({
  id: v.string(),
  url: v.string(),
  has_secret: v.boolean(),
  events: v.array(v.string()),
  active: v.boolean(),
  created_at: v.string(),
  updated_at: v.string(),
});

/** Returns a webhook. Its id is the number by which deliveries name it. */
export function hookShape(place: Place, hook: v.InferOutput<typeof hookJson>): object {
  const id = numberOf(hook.id);
  const url = `${place.api}/hooks/${id}`;
  const secret = hook.has_secret ? { secret: "********" } : {};
  return {
    type: "Repository",
    id,
    name: "web",
    active: hook.active,
    events: hook.events,
    config: { content_type: "json", insecure_ssl: "0", url: hook.url, ...secret },
    created_at: hook.created_at,
    updated_at: hook.updated_at,
    url,
    test_url: `${url}/test`,
    ping_url: `${url}/pings`,
    deliveries_url: `${url}/deliveries`,
    last_response: { code: null, status: "unused", message: null },
  };
}
