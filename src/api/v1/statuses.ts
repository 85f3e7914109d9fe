/**
 * `/api/v1/repos/{tenant}/{repo}/commits/{oid}/statuses`: what builds and checks say of a commit.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { actorNameOf, actorOf, type Principal } from "../../access/principal.ts";
import type { BrowseSession } from "../../browse/browse-session.ts";
import { readCommit } from "../../browse/commit.ts";
import { resolveCommit } from "../../browse/revision.ts";
import { toHex } from "../../bytes/hex.ts";
import { refuseMirror } from "../../http/admission.ts";
import { cacheControl, found } from "../../http/content.ts";
import { requestedRevision } from "../../http/content-address.ts";
import { authorize } from "../../http/denied.ts";
import { Problem } from "../../http/problem.ts";
import type { Commit } from "../../object/commit.ts";
import { dateText, type Identity } from "../../object/identity.ts";
import {
  combinedState,
  type CommitStatus,
  countStatuses,
  MOST_CONTEXTS,
  type NewStatus,
  STATUS_STATES,
  type StatusAnswer,
  type StatusRequest,
  type ToldCommit,
  type ToldPerson,
} from "../../refs/commit-statuses.ts";
import type { RepositoryRecord } from "../../refs/ref-store.ts";
import type { Repository } from "../../repository/repository.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe } from "../describe.ts";
import { readJson } from "../json-body.ts";
import { shownName, shownText } from "../shown-text.ts";
import { openSession } from "./content-request.ts";
import { type KeyedRequest, keyedRequest, REPLAYED } from "./idempotency.ts";
import { otherRequest } from "./refused-writes.ts";
import { pathParam, requestedName } from "./requested.ts";

/** Characters of a context, a description and an address. */
const LONGEST_TEXT = 255;
const LONGEST_URL = 1000;
/** Characters of a commit's message that a webhook is told. */
const TOLD_MESSAGE = 2000;
const NO_STORE = { "Cache-Control": "no-store" };

function isWebAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

const state = v.picklist(STATUS_STATES);

/** A status that is to be set. */
const statusBody = v.strictObject({
  context: shownName(LONGEST_TEXT),
  state,
  description: v.nullish(shownText(LONGEST_TEXT)),
  target_url: v.nullish(v.pipe(shownName(LONGEST_URL), v.check(isWebAddress, "not an address with http or https"))),
});

const statusJson = v.strictObject({
  context: v.string(),
  state,
  description: v.nullable(v.string()),
  target_url: v.nullable(v.string()),
  actor: v.string(),
  actor_name: v.optional(v.string()),
  at: v.pipe(v.string(), v.isoTimestamp()),
});
const statusesJson = v.strictObject({
  oid: v.string(),
  state: v.nullable(v.picklist(["failure", "pending", "success"])),
  statuses: v.array(statusJson),
});

const orNull = (words: string): string | null => (words === "" ? null : words);

function shown(status: NewStatus): v.InferOutput<typeof statusJson> {
  return {
    context: status.context,
    state: status.state,
    description: orNull(status.description),
    target_url: orNull(status.targetUrl),
    actor: status.actor,
    ...(status.actorName === undefined ? {} : { actor_name: status.actorName }),
    at: new Date(status.at).toISOString(),
  };
}

function told(person: Identity | undefined): ToldPerson {
  // A commit without a person is told as one of nobody's.
  const { name, email, time, zone } = person ?? { name: "", email: "", time: 0, zone: "+0000" };
  return { name, email, date: dateText({ name, email, time, zone }) ?? "1970-01-01T00:00:00+00:00" };
}

function toldCommit({ tree, parents, message, author, committer }: Commit): ToldCommit {
  return { tree, parents, message: message.slice(0, TOLD_MESSAGE), author: told(author), committer: told(committer) };
}

/** Runs `work` on the commit that the path names, for a caller that may read it, and that `admit` lets pass. */
async function atCommit(
  context: Context<ApiEnv>,
  admit: (record: RepositoryRecord) => Promise<void>,
  work: (session: BrowseSession, commit: Uint8Array) => Promise<Response>,
): Promise<Response> {
  const oid = pathParam(context, "oid");
  const revision = requestedRevision(oid);
  const session = await openSession(context, [revision]);
  try {
    await admit(session.answer.record);
    if (oid.length !== session.format.hexSize) throw new Problem(404, "The full name of a commit is needed here.");
    return await work(session, found(await resolveCommit(session, revision)).name);
  } finally {
    session.close();
  }
}

/** Asks the repository that a session has opened. @throws Problem if it has gone. */
async function asked(context: Context<ApiEnv>, request: StatusRequest): Promise<StatusAnswer> {
  const answer = await context.var.host.statuses(await requestedName(context, "read")).statuses(request);
  if (answer.kind === "gone") throw new Problem(404, "There is no such repository.");
  return answer;
}

async function list(context: Context<ApiEnv>): Promise<Response> {
  const admit = async (): Promise<void> => undefined;
  return await atCommit(context, admit, async (session, commit) => {
    const oid = toHex(commit);
    const { id, statusChanges } = session.answer.record;
    const answer = statusChanges === undefined ? undefined : await asked(context, { id, kind: "list", oid });
    const statuses: readonly CommitStatus[] = answer?.kind === "listed" ? answer.statuses : [];
    const combined = combinedState(countStatuses(statuses)) ?? null;
    const headers = { "Cache-Control": cacheControl(session) };
    return context.json({ oid, state: combined, statuses: statuses.map(shown) }, 200, headers);
  });
}

/** Reads the status that a body describes, and tells it from others of the same key. */
async function readStatus(
  context: Context<ApiEnv>,
  principal: Principal,
  { hash, now }: Pick<Repository, "hash" | "now">,
): Promise<{ readonly status: NewStatus; readonly keyed: KeyedRequest | undefined }> {
  const body = await readJson(context.req.raw, statusBody);
  const digest = hash("sha256");
  digest.update(new TextEncoder().encode(JSON.stringify(body)));
  const status = {
    context: body.context,
    state: body.state,
    description: body.description ?? "", // There need not be one.
    targetUrl: body.target_url ?? "", // Nor an address.
    actor: actorOf(principal),
    ...actorNameOf(principal),
    at: now(),
  };
  return { status, keyed: keyedRequest(context, principal, digest) };
}

/** Sets a status, for a caller that may write where refs may move. */
async function set(context: Context<ApiEnv>): Promise<Response> {
  const { host } = context.var;
  const name = await requestedName(context, "write");
  const admit = async (record: RepositoryRecord): Promise<void> => {
    await refuseMirror({ host, name }, record);
    await authorize(host, "write", name, record);
    if (record.readOnly) throw new Problem(403, "The repository is read-only.");
  };
  return await atCommit(context, admit, async (session, commit) => {
    const { principal } = await host.identify(name);
    const { status, keyed } = await readStatus(context, principal, session.repository);
    const oid = toHex(commit);
    const made = JSON.stringify({ oid, ...shown(status) });
    const once = keyed && { key: keyed.key, fingerprint: keyed.fingerprint(), answer: made };
    const answer = await asked(context, {
      kind: "set",
      id: session.answer.record.id,
      oid,
      status,
      commit: toldCommit(await readCommit(session, commit)),
      ...(once === undefined ? {} : { once }),
    });
    if (answer.kind === "full") throw new Problem(422, `A commit may have ${MOST_CONTEXTS} contexts.`);
    const before = answer.kind === "answered" ? answer.before : undefined;
    if (before !== undefined && before.fingerprint !== once?.fingerprint) throw otherRequest();
    const headers = { ...NO_STORE, ...(before === undefined ? {} : REPLAYED), "Content-Type": "application/json" };
    return new Response(before?.answer ?? made, { status: 201, headers });
  });
}

/** The routes of statuses, below `/api/v1/repos`. */
export function statusRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const path = "/:tenant/:repo/commits/:oid{[0-9a-f]+}/statuses";
  routes.get(
    path,
    describe({
      tag: "content",
      summary: "Lists the statuses of a commit",
      about:
        "One for each context, in the order of their names. `state` is what they say together: `failure` if one says that or `error`, " +
        "else `pending` if one does, else `success`; `null` where there is none.",
      answers: { 200: { about: "All of them.", json: statusesJson } },
      problems: [404],
    }),
    list,
  );
  routes.post(
    path,
    describe({
      tag: "content",
      access: "token",
      summary: "Sets a status of a commit",
      takesKey: true,
      about:
        "It takes the place of the one with the same context. Rules of protected refs may demand contexts, which have to say `success` of a commit " +
        "before a ref may name it.",
      body: statusBody,
      answers: { 201: { about: "The status.", json: v.strictObject({ oid: v.string(), ...statusJson.entries }) } },
      problems: [403, 404, 415, 422],
    }),
    set,
  );
  return routes;
}
