/**
 * `POST /api/v1/repos/{tenant}/{repo}/commits`: makes a commit of changes to files, without a clone.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import type { RepositoryName } from "../../access/names.ts";
import type { Patch } from "../../diff/parse-patch.ts";
import type { ByteSource } from "../../bytes/byte-stream.ts";
import type { StreamingHash } from "../../bytes/hash.ts";
import type { Pacer } from "../../bytes/pacer.ts";
import { textOf } from "../../object/byte-text.ts";
import { escapedOf, readEscapes } from "../../object/escaped-bytes.ts";
import type { Identity } from "../../object/identity.ts";
import { isPushableRefName, isTooLong } from "../../object/ref-name.ts";
import { queryPairs, utf8Text } from "../../http/content-address.ts";
import { InvalidRequest, Problem, DetailedProblem } from "../../http/problem.ts";
import { admitWriter, type Writer } from "../../http/pusher.ts";
import { addTrailers, wholeLines } from "../../writing/commit/commit-text.ts";
import { assertActions, type RefusedAction } from "../../writing/commit/file-action.ts";
import type { CommitAnswer, CommitOrder, MadeCommit } from "../../writing/commit/make-commit.ts";
import type { RefusedPatch } from "../../writing/commit/patch-actions.ts";
import type { ActionOrder } from "../../writing/commit/prepared-actions.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe } from "../describe.ts";
import { checkJson, mediaType, parseJson } from "../json-body.ts";
import { AskedSigning, atSigned } from "./asked-signing.ts";
import { bodySource, readLines, readWhole, strictText } from "./bounded-body.ts";
import { asker, personOf } from "./commit-person.ts";
import { actionBody, commitBody, type CommitHead, commitHead, madeCommit } from "./commit-schemas.ts";
import { keyedRequest, REPLAYED } from "./idempotency.ts";
import { otherRequest, refusedUpdate, staleRef } from "./refused-writes.ts";
import { requestedName } from "./requested.ts";

/** Bytes of a body of JSON, of a line of newline-delimited JSON, and of all lines. */
const MOST_JSON_BYTES = 4 * 1024 * 1024;
const MOST_LINE_BYTES = 4 * 1024 * 1024;
const MOST_LINES_BYTES = 64 * 1024 * 1024;
/** Steps of checking one action against its schema, and of a character of its line. */
const ACTION_STEPS = 2000;
const CHARACTER_STEPS = 2;
/** Copies of a body that are held: its bytes, its text, and what it says. */
const BODY_COPIES = 3;
const BRANCHES = "refs/heads/";
const NO_STORE = { "Cache-Control": "no-store" };

/** What a body asks for: all but what changes at once, and that as it comes. */
type Asked = { readonly head: CommitHead } & (
  | { readonly actions: AsyncIterable<ActionOrder> }
  | { readonly patch: Patch }
);

async function* listed(actions: readonly ActionOrder[]): AsyncGenerator<ActionOrder> {
  yield* actions;
}

/** A body that comes: it counts in the hash, and what it takes is held until the request ends. */
type Coming = {
  readonly source: ByteSource;
  readonly hash: StreamingHash;
  readonly url: string;
  readonly pacer: Pacer;
  readonly hold: (bytes: number) => void;
};

async function readWholeBody({ source, hash, hold }: Coming): Promise<Uint8Array> {
  return await readWhole(source, MOST_JSON_BYTES, (piece) => {
    hash.update(piece);
    hold(piece.length * BODY_COPIES);
  });
}

function partsOf({ actions, ...head }: v.InferOutput<typeof commitBody>): Asked {
  return { head, actions: listed(actions) };
}

async function readJsonBody(coming: Coming): Promise<Asked> {
  const bytes = await readWholeBody(coming);
  const json = parseJson(strictText(bytes));
  const given = Array.isArray(json) ? undefined : v.safeParse(v.looseObject({ actions: v.array(v.unknown()) }), json);
  if (given?.success !== true) return partsOf(checkJson(json, commitBody));
  const { actions, ...rest } = given.output;
  assertActions(actions.length);
  const { head } = partsOf(checkJson({ ...rest, actions: [] }, commitBody));
  const checked: ActionOrder[] = [];
  for (const [index, action] of actions.entries()) {
    checked.push(checkJson(action, actionBody, ["actions", String(index)]));
    coming.pacer.add(ACTION_STEPS);
    if (coming.pacer.isDue) await coming.pacer.pace();
  }
  return { head, actions: listed(checked) };
}

async function* actionsOf(lines: AsyncGenerator<string>, pacer: Pacer): AsyncGenerator<ActionOrder> {
  for (let index = 0; ; index++) {
    const next = await lines.next();
    if (next.done === true) return;
    pacer.add(ACTION_STEPS + next.value.length * CHARACTER_STEPS);
    if (pacer.isDue) await pacer.pace();
    yield checkJson(parseLine(next.value, index), actionBody, ["actions", String(index)]);
  }
}

function parseLine(line: string, index: number): unknown {
  try {
    return parseJson(line);
  } catch (cause) {
    if (!(cause instanceof Problem)) throw cause;
    const fault = { pointer: `#/actions/${index}`, detail: `action ${index} is not JSON` };
    throw new InvalidRequest("invalid_member", [fault]);
  }
}

async function readLineBody({ source, hash, pacer }: Coming): Promise<Asked> {
  let bytes = 0;
  const lines = readLines(source, MOST_LINE_BYTES, (piece) => {
    hash.update(piece);
    bytes += piece.length;
    if (bytes > MOST_LINES_BYTES) throw new Problem(413, `All lines may have ${MOST_LINES_BYTES} bytes.`);
  });
  const first = await lines.next();
  if (first.done === true) throw new Problem(422, "The body is empty: its first line says all but the actions.");
  return { head: checkJson(parseJson(first.value), commitHead), actions: actionsOf(lines, pacer) };
}

/** Reads a patch. All else is in the query. */
async function readPatchBody(coming: Coming): Promise<Asked> {
  const { search } = new URL(coming.url);
  const head = checkJson(patchHead(queryPairs(coming.url)), commitHead);
  coming.hash.update(new TextEncoder().encode(search));
  const bytes = await readWholeBody(coming);
  const { parsePatch } = await import("../../diff/parse-patch.ts");
  const patch = await coming.pacer.finish(parsePatch(textOf(bytes), assertActions));
  if (!("detail" in patch)) return { head, patch };
  const { line, detail } = patch;
  throw new DetailedProblem(422, `line ${line} of the patch: ${detail}`, { code: "bad_patch", line });
}

/** Returns the query in the form of a body: `author_name` is the `name` of `author`. */
function patchHead(query: readonly (readonly [name: string, bytes: string])[]): object {
  const head: Record<string, unknown> = {};
  const people: Record<string, Record<string, string>> = {};
  for (const [name, bytes] of query) {
    // Names of refs need not be UTF-8.
    const value = REFS.includes(name) ? readEscapes(bytes) : utf8Text(bytes, name);
    const [, person, member] = /^(author|committer)_(name|email|date)$/.exec(name) ?? [];
    if (person !== undefined && member !== undefined) (people[person] ??= {})[member] = value;
    else if (name === "expected_head" && value === "") head[name] = null;
    else head[name] = TEXTS.includes(name) || !/^(?:true|false)$/.test(value) ? value : value === "true";
  }
  return { ...head, ...people };
}

/** Members that are text, whatever that is. */
const REFS = ["branch", "base"];
const TEXTS = [...REFS, "message"];

/** The readers of bodies, by media type. */
const READERS: Readonly<Record<string, (coming: Coming) => Promise<Asked>>> = {
  "application/json": readJsonBody,
  "application/x-ndjson": readLineBody,
  "text/x-patch": readPatchBody,
};

/** Returns the full name of the branch. @throws InvalidRequest */
function branchOf({ branch }: Pick<CommitHead, "branch">): string {
  const name = branch.startsWith(BRANCHES) ? branch : BRANCHES + branch;
  if (!isTooLong(name) && isPushableRefName(name)) return name;
  throw new InvalidRequest("invalid_member", [{ pointer: "#/branch", detail: "branch: is no name of a branch" }]);
}

/** Returns the message with its trailers. @throws InvalidRequest */
function messageOf({ message, trailers = [] }: CommitHead): string {
  if (message.trim() !== "" && !message.includes("\0")) return wholeLines(addTrailers(message, trailers));
  const detail = `message: ${message.includes("\0") ? "has a NUL" : "is empty"}`;
  throw new InvalidRequest("invalid_member", [{ pointer: "#/message", detail }]);
}

type OrderParts = Omit<CommitOrder, "read" | "once">;

function orderOf(head: CommitHead, asking: Identity, { head: signed, isTrial }: AskedSigning): OrderParts {
  const by = atSigned(asking, signed?.author);
  const then = atSigned(asking, signed?.committer);
  const author = head.author === undefined ? by : personOf("author", head.author, by);
  const { time, zone } = then;
  const committer =
    head.committer === undefined ? { ...author, time, zone } : personOf("committer", head.committer, then);
  // What was signed says on which commit it is made.
  const parent = signed === undefined || head.base !== undefined ? undefined : (signed.parent ?? null);
  const { expected_head: expectedHead = parent } = head;
  return {
    branch: branchOf(head),
    ...(expectedHead === undefined ? {} : { expectedHead }),
    ...(head.base === undefined ? {} : { base: head.base }),
    message: messageOf(head),
    author,
    committer,
    allowEmpty: head.allow_empty === true,
    isTrial: head.dry_run === true || isTrial,
  };
}

/** Returns the answer to a commit that was made: the branch by its short name. */
function shown({ branch, ...made }: MadeCommit, { members }: AskedSigning): string {
  const { oid, tree, parents, previous } = made;
  return JSON.stringify({ oid, tree, parents, branch: branch.slice(BRANCHES.length), previous, ...members });
}

function refusedAction({ index, member, detail }: RefusedAction): InvalidRequest {
  const fault = { pointer: `#/actions/${index}/${member}`, detail: `action ${index}: ${member}: ${detail}` };
  return new InvalidRequest("invalid_action", [fault]);
}

function refusedPatch({ path, detail, ...place }: RefusedPatch): Problem {
  const shownPath = escapedOf(path);
  const members = { code: "patch_does_not_apply", file: place.index, path: shownPath, line: place.line };
  const hunk = place.hunk === undefined ? {} : { hunk: place.hunk };
  return new DetailedProblem(422, `file ${place.index} of the patch, ${shownPath}: ${detail}`, { ...members, ...hunk });
}

function jsonAnswer(text: string, status: 200 | 201, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(text, { status, headers: { ...NO_STORE, "Content-Type": "application/json", ...headers } });
}

function answerOf(answer: CommitAnswer, { branch, isTrial, signing }: AskedCommit): Response {
  switch (answer.kind) {
    case "made":
      return jsonAnswer(shown(answer, signing), isTrial ? 200 : 201);
    case "answered":
      return jsonAnswer(answer.answer, 201, REPLAYED);
    case "other-request":
      throw otherRequest();
    case "stale":
      throw staleRef(branch, answer.current);
    case "refused-action":
      throw refusedAction(answer.action);
    case "refused-patch":
      throw refusedPatch(answer.patch);
    case "refused":
      throw refusedUpdate(branch, answer.why);
    case "no-branch":
      throw new Problem(
        404,
        "There is no such branch. Say where it begins with base, or expected_head: null for a first commit.",
      );
    case "no-base":
      throw new InvalidRequest("invalid_member", [{ pointer: "#/base", detail: "base: names no commit here" }]);
    case "nothing-changed":
      throw new DetailedProblem(422, "Nothing changes; allow_empty makes such a commit all the same.", {
        code: "nothing_changed",
      });
  }
}

/** What is to be committed, and how it is signed. */
type AskedCommit = CommitOrder & { readonly signing: AskedSigning };

async function ordered(
  context: Context<ApiEnv>,
  name: RepositoryName,
  { exchange, principal }: Writer,
  hold: (bytes: number) => void,
): Promise<AskedCommit> {
  const reader = READERS[mediaType(context.req.raw)];
  if (reader === undefined) throw new Problem(415, `The body has to be one of ${Object.keys(READERS).join(", ")}.`);
  if (reader !== readPatchBody) refuseQuery(context);
  const { PreparedActions } = await import("../../writing/commit/prepared-actions.ts");
  const { repository } = exchange;
  // The body is read into memory: where there is no room, that waits.
  const { memory, pacer } = repository;
  await memory.room();
  const hash = repository.hash("sha256");
  const { url } = context.req;
  const { head, ...changes } = await reader({ source: bodySource(context, memory), hash, url, pacer, hold });
  const keyed = keyedRequest(context, principal, hash);
  const signing = new AskedSigning(head, { host: context.var.host, name });
  return {
    ...orderOf(head, asker(principal, repository.now()), signing),
    signing,
    ...(keyed === undefined ? {} : { once: { ...keyed, answer: (made) => shown(made, signing) } }),
    read: async (contents, rawSize) => {
      if ("patch" in changes) return changes;
      const prepared = new PreparedActions(contents, rawSize);
      for await (const action of changes.actions) {
        const refused = await prepared.add(action);
        if (refused !== undefined) return refused;
      }
      return prepared;
    },
  };
}

/** Refuses a query where the body says everything. @throws InvalidRequest */
function refuseQuery(context: Context<ApiEnv>): void {
  const [name] = new URL(context.req.url).searchParams.keys();
  if (name === undefined) return;
  const detail = `the parameter ${JSON.stringify(name)} is for patches: the body says it`;
  throw new InvalidRequest("unknown_parameter", [{ parameter: name, detail }]);
}

async function commit(context: Context<ApiEnv>): Promise<Response> {
  const { host } = context.var;
  const name = await requestedName(context, "write");
  const writer = await admitWriter({ host, name });
  const { memory } = writer.exchange.repository;
  let held = 0;
  try {
    const order = await ordered(context, name, writer, (bytes) => {
      held += bytes;
      memory.hold(bytes);
    });
    const { makeCommit } = await import("../../writing/commit/make-commit.ts");
    const exchange = order.signing.with({ ...writer.exchange, kept: context.var.api.settings(name) });
    return answerOf(await makeCommit(exchange, order), order);
  } finally {
    memory.hold(-held);
  }
}

/** What the query of a patch may say. */
const PATCH_QUERY = {
  branch: { about: "As in a body of JSON, for a patch." },
  expected_head: { about: "The same; empty for `null`." },
  base: { about: "The same." },
  message: { about: "The same." },
  author_name: { about: "The same, with the address and the date beside it." },
  author_email: { about: "The author's address." },
  author_date: { about: "When the author made it." },
  committer_name: { about: "The committer, in the same way." },
  committer_email: { about: "The committer's address." },
  committer_date: { about: "When it was committed." },
  allow_empty: { about: "`true` or `false`." },
  dry_run: { about: "`true` or `false`." },
  sign: { about: "`detached`: what is to be signed is answered." },
} as const;

/** The routes that make commits, below `/api/v1/repos`. */
export function commitRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.post(
    "/:tenant/:repo/commits",
    describe({
      tag: "content",
      access: "token",
      summary: "Makes a commit of changes to files",
      takesKey: true,
      about:
        "Everything that holds of a push holds here: rules, quotas, checks, the log, webhooks. With `application/x-ndjson`, the first " +
        "line has all members but `actions`, and each further line is one action. With `text/x-patch`, the body is what `git diff --binary` or " +
        "`git format-patch` print, applied as `git apply` does, and the query has the members. An action is applied to what those before have left. " +
        "With `sign: detached` the answer is that of `dry_run`, and its `payload` has the bytes that are to be signed, in base64; the same request with `signature` " +
        "(the `payload`, and the `armoured` signature) then makes that very commit, and tells whether a key of the tenant made the signature. " +
        "`expected_head` is where the branch has to be, or `null` if it must not exist; without it, the changes are made on what the " +
        "branch has. With `dry_run` the answer is 200, and nothing is changed. `Idempotency-Key` makes a retry give the first answer for a day.",
      query: PATCH_QUERY,
      body: commitBody,
      answers: {
        200: { about: "What would be made.", json: madeCommit },
        201: { about: "The commit.", json: madeCommit },
      },
      problems: [403, 404, 409, 413, 415, 422, 503],
    }),
    commit,
  );
  return routes;
}
