/**
 * `/api/v1/repos/{tenant}/{repo}/refs`, `/tags`: creates, moves and deletes refs, and makes annotated tags.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { readEscapes } from "../../object/escaped-bytes.ts";
import { isPushableRefName, isTooLong } from "../../object/ref-name.ts";
import { DetailedProblem, InvalidRequest, Problem } from "../../http/problem.ts";
import { admitWriter } from "../../http/pusher.ts";
import { isZeroOid } from "../../refs/ref-plan.ts";
import type { AnsweredOnce } from "../../refs/ref-store.ts";
import { wholeLines } from "../../writing/commit/commit-text.ts";
import type { MadeTag, RefOrder, RefResult, RefsAnswer } from "../../writing/commit/move-refs.ts";
import type { WriteExchange } from "../../writing/commit/write-session.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe } from "../describe.ts";
import { askedWrite, type BodyReading } from "./asked-write.ts";
import { AskedSigning, atSigned } from "./asked-signing.ts";
import { asker, personOf } from "./commit-person.ts";
import { personBody, signedJson, signing as signingBody } from "./commit-schemas.ts";
import { restOfPath } from "./content-request.ts";
import { type KeyedRequest, REPLAYED } from "./idempotency.ts";
import { otherRequest, refusedUpdate } from "./refused-writes.ts";
import { requestedName } from "./requested.ts";

/** Refs that one request moves, and bytes of its body. */
const MOST_UPDATES = 5000;
const MOST_BYTES = 4 * 1024 * 1024;
const READING: BodyReading = { mostBytes: MOST_BYTES, needsRoom: false };
const NO_STORE = { "Cache-Control": "no-store" };

const value = v.nullable(v.string());
const putBody = v.strictObject({ oid: v.string(), expected: v.optional(value), force: v.optional(v.boolean()) });
const refJson = v.strictObject({ name: v.string(), oid: v.string(), previous: value });
const updatesBody = v.strictObject({
  atomic: v.optional(v.boolean()),
  updates: v.pipe(
    v.array(v.strictObject({ name: v.string(), old: value, new: value })),
    v.minLength(1),
    v.maxLength(MOST_UPDATES),
  ),
});
const outcomeJson = v.strictObject({
  name: v.string(),
  status: v.picklist(["ok", "rejected"]),
  code: v.optional(v.string()),
  detail: v.optional(v.string()),
  current: v.optional(value),
});
const outcomesJson = v.strictObject({ updates: v.array(outcomeJson) });
const tagBody = v.strictObject({
  name: v.string(),
  target: v.string(),
  message: v.string(),
  tagger: v.optional(personBody),
  ...signingBody,
});
const tagJson = v.strictObject({
  name: v.string(),
  oid: v.string(),
  target: v.string(),
  type: v.string(),
  ...signedJson,
});

/** Returns the full name of a ref. `heads/main` and `refs/heads/main` are the same. @throws InvalidRequest */
function fullName(name: string, pointer: string): string {
  const full = name.startsWith("refs/") ? name : `refs/${name}`;
  if (!isTooLong(full) && isPushableRefName(full)) return full;
  throw new InvalidRequest("invalid_member", [{ pointer, detail: "name: git allows no such name of a ref" }]);
}

function pathName(context: Context<ApiEnv>): string {
  return fullName(readEscapes(restOfPath(context)), "#");
}

/** Zeros mean no ref, as in git's protocol. */
function valueOf(oid: string | null): string | null {
  return oid === null || isZeroOid(oid) ? null : oid;
}

/** Answers the same as before, if the request is the same. */
function before({ fingerprint, answer }: AnsweredOnce, keyed: KeyedRequest | undefined, status: 200 | 201): Response {
  if (keyed === undefined || keyed.fingerprint() !== fingerprint) throw otherRequest();
  return new Response(answer, { status, headers: { ...NO_STORE, ...REPLAYED, "Content-Type": "application/json" } });
}

type Rejected = Extract<RefResult, { kind: "rejected" }>;

function problemOf({ name, why }: Rejected): Problem {
  if (why.kind !== "not-forward") return refusedUpdate(name, why);
  const members = { code: "not_forward", current: why.current };
  return new DetailedProblem(
    409,
    `${name} would not move forward from ${why.current}; force moves it all the same.`,
    members,
  );
}

/** Returns the one result. */
function only(answer: Extract<RefsAnswer, { kind: "done" }>): Extract<RefResult, { kind: "ok" }> {
  const [result] = answer.results;
  if (result?.kind === "ok") return result;
  throw result === undefined ? new Problem(422, "There is no update.") : problemOf(result);
}

/** Returns the exchange with what is kept: a ref may be moved to what was made by itself. */
async function withKept(context: Context<ApiEnv>, exchange: WriteExchange): Promise<WriteExchange> {
  return { ...exchange, kept: context.var.api.settings(await requestedName(context, "write")) };
}

async function put(context: Context<ApiEnv>): Promise<Response> {
  const { exchange, body, keyed } = await askedWrite(context, putBody, READING);
  const name = pathName(context);
  const oid = body.oid.toLowerCase();
  const order: RefOrder = {
    name,
    oid,
    force: body.force === true,
    ...(body.expected === undefined ? {} : { expected: valueOf(body.expected) }),
  };
  const refAt = (previous: string | null = null): v.InferOutput<typeof refJson> => ({ name, oid, previous });
  const answerOf = ([result]: readonly RefResult[]): string => JSON.stringify(refAt(result?.previous));
  const { moveRefs } = await import("../../writing/commit/move-refs.ts");
  const once = keyed === undefined ? {} : { once: { ...keyed, answer: answerOf } };
  const answer = await moveRefs(await withKept(context, exchange), [order], { atomic: true, ...once });
  if (answer.kind === "answered") {
    const { previous: had } = v.parse(v.pipe(v.string(), v.parseJson(), refJson), answer.before.answer);
    return before(answer.before, keyed, had === null ? 201 : 200);
  }
  const { previous } = only(answer);
  return context.json(refAt(previous), previous === undefined ? 201 : 200, NO_STORE);
}

async function remove(context: Context<ApiEnv>): Promise<Response> {
  const name = await requestedName(context, "write");
  const { exchange } = await admitWriter({ host: context.var.host, name });
  const full = pathName(context);
  const expected = context.req.query("expected");
  const order: RefOrder = { name: full, oid: null, force: true, ...(expected === undefined ? {} : { expected }) };
  const { moveRefs } = await import("../../writing/commit/move-refs.ts");
  const answer = await moveRefs(exchange, [order], { atomic: true });
  if (answer.kind === "answered") throw otherRequest();
  const [result] = answer.results;
  if (result?.kind === "rejected" && result.why.kind === "missing-ref" && expected === undefined) {
    throw new Problem(404, "There is no such ref.");
  }
  only(answer);
  return context.body(null, 204);
}

function outcomeOf(result: RefResult): v.InferOutput<typeof outcomeJson> {
  const { name } = result;
  if (result.kind === "ok") return { name, status: "ok" };
  const { message, members } = problemOf(result);
  return { name, status: "rejected", detail: message, ...members };
}

async function update(context: Context<ApiEnv>): Promise<Response> {
  const { exchange, body, keyed } = await askedWrite(context, updatesBody, READING);
  const orders = body.updates.map(({ name, old, new: oid }, at): RefOrder => {
    const full = fullName(name, `#/updates/${at}/name`);
    return { name: full, expected: valueOf(old), oid: valueOf(oid), force: true };
  });
  const answerOf = (results: readonly RefResult[]): string => JSON.stringify({ updates: results.map(outcomeOf) });
  const { atomic = true } = body;
  const { moveRefs } = await import("../../writing/commit/move-refs.ts");
  const once = keyed === undefined ? {} : { once: { ...keyed, answer: answerOf } };
  const answer = await moveRefs(exchange, orders, { atomic, ...once });
  if (answer.kind === "answered") return before(answer.before, keyed, 200);
  const refused = answer.results.find((result) => result.kind === "rejected");
  if (atomic && refused !== undefined) {
    const cause = answer.results.find(
      (result): result is Rejected => result.kind === "rejected" && result.why.kind !== "atomic",
    );
    const { message, members } = problemOf(cause ?? refused);
    throw new DetailedProblem(409, `Nothing was changed: ${message}`, {
      ...members,
      updates: answer.results.map(outcomeOf),
    });
  }
  return context.json({ updates: answer.results.map(outcomeOf) }, 200, NO_STORE);
}

async function makeTagOf(context: Context<ApiEnv>): Promise<Response> {
  const { exchange, principal, body, keyed } = await askedWrite(context, tagBody, READING);
  const { name, target } = body;
  if (!isPushableRefName(`refs/tags/${name}`) || isTooLong(`refs/tags/${name}`)) {
    throw new InvalidRequest("invalid_member", [
      { pointer: "#/name", detail: "name: git allows no such name of a tag" },
    ]);
  }
  if (body.message.includes("\0") || body.message.trim() === "") {
    throw new InvalidRequest("invalid_member", [{ pointer: "#/message", detail: "message: is empty, or has a NUL" }]);
  }
  const signing = new AskedSigning(body, { host: context.var.host, name: await requestedName(context, "write") });
  const { isTrial } = signing;
  const by = atSigned(asker(principal, exchange.repository.now()), signing.head?.tagger);
  const tagger = body.tagger === undefined ? by : personOf("tagger", body.tagger, by);
  const shown = ({ oid, target: object, type }: MadeTag): string =>
    JSON.stringify({ name, oid, target: object, type, ...signing.members });
  const { makeTag } = await import("../../writing/commit/move-refs.ts");
  const order = { name, target, message: wholeLines(body.message), tagger, isTrial };
  const once = keyed === undefined ? {} : { once: { ...keyed, answer: shown } };
  const answer = await makeTag(signing.with(exchange), { ...order, ...once });
  switch (answer.kind) {
    case "answered":
      return before(answer.before, keyed, 201);
    case "no-target":
      throw new InvalidRequest("invalid_member", [{ pointer: "#/target", detail: "target: names no object here" }]);
    case "refused":
      throw refusedUpdate(`refs/tags/${name}`, answer.why);
    case "made":
      return new Response(shown(answer), {
        status: isTrial ? 200 : 201,
        headers: { ...NO_STORE, "Content-Type": "application/json" },
      });
  }
}

/** The routes that move refs, below `/api/v1/repos`. */
export function refWriteRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const base = { tag: "content", access: "token" } as const;
  const problems = [403, 404, 409, 415, 422, 503];
  routes.put(
    "/:tenant/:repo/refs/:name{[^]+}",
    describe({
      ...base,
      summary: "Creates or moves a ref",
      takesKey: true,
      about:
        "`expected` is what it has to have, or `null` if it must not exist. It moves forward only, and a tag not at all, unless `force` is true.",
      body: putBody,
      answers: { 200: { about: "It has moved.", json: refJson }, 201: { about: "It is new.", json: refJson } },
      problems,
    }),
    put,
  );
  routes.delete(
    "/:tenant/:repo/refs/:name{[^]+}",
    describe({
      ...base,
      summary: "Deletes a ref",
      query: { expected: { about: "What it has to have." } },
      answers: { 204: { about: "It has gone." } },
      problems,
    }),
    remove,
  );
  routes.post(
    "/:tenant/:repo/refs",
    describe({
      ...base,
      summary: "Moves several refs",
      takesKey: true,
      about: "`old` and `new` are `null` for no ref. Where `atomic` is not false, all move or none.",
      body: updatesBody,
      answers: { 200: { about: "What came of each.", json: outcomesJson } },
      problems,
    }),
    update,
  );
  routes.post(
    "/:tenant/:repo/tags",
    describe({
      ...base,
      summary: "Makes an annotated tag",
      takesKey: true,
      about:
        "`target` is a ref, or the full name of an object. With `sign: detached` no tag is made, and `payload` has what is to be signed, in base64; the same " +
        "request with `signature` then makes that very tag.",
      body: tagBody,
      answers: { 200: { about: "What is to be signed.", json: tagJson }, 201: { about: "The tag.", json: tagJson } },
      problems,
    }),
    makeTagOf,
  );
  return routes;
}
