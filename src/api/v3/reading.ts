/**
 * Reads what a request's repository has, for the routes of the facade.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import type { BrowseSession } from "../../browse/browse-session.ts";
import { readCutCommit } from "../../browse/commit.ts";
import { type NamedObject, resolveCommit } from "../../browse/revision.ts";
import { fromHex, toHex } from "../../bytes/hex.ts";
import { found } from "../../http/content.ts";
import { pathAfter, requestedRevision } from "../../http/content-address.ts";
import { authorize } from "../../http/denied.ts";
import { readEscapes } from "../../object/escaped-bytes.ts";
import { objectFormat } from "../../object/object-id.ts";
import { type ObjectType, typeOfNumber } from "../../object/object-type.ts";
import { decodeRefRows, type RefRow } from "../../refs/ref-rows.ts";
import type { OpenRequest, OpenSnapshot, RepositoryRecord } from "../../refs/ref-store.ts";
import type { ApiEnv } from "../api-host.ts";
import { openSession } from "../v1/content-request.ts";
import { requestedName } from "../v1/requested.ts";
import { answerPart, firstOf, notFound, requestedPage } from "./answers.ts";
import type { CommitJson } from "./shapes.ts";

/** `/api/v3/repos/{tenant}/{repo}`, and an empty piece before it. */
const PIECES_OF_REPOSITORY = 6;

/** Steps of a ref that is decoded. */
const ROW_STEPS = 60;

/** Returns the rest of the path behind the repository and `words` more pieces, with one character per byte. */
export function restOf(context: Context<ApiEnv>, words: number): string {
  return pathAfter(context.req.url, PIECES_OF_REPOSITORY + words);
}

/** Returns the name of a ref in the rest of a path, in full, as escaped text. */
export function refInPath(context: Context<ApiEnv>, words: number): string {
  return `refs/${readEscapes(restOf(context, words)).replace(/^refs\//, "")}`;
}

/** A ref. Names of objects are hexadecimal. */
export type ReadRef = { readonly name: string; readonly oid: string; readonly peeled?: string };

/** Opens the refs that a caller who may read the repository asks for. @throws AccessDenied, GitHubProblem */
async function openRefs(
  context: Context<ApiEnv>,
  request: Pick<OpenRequest, "refPrefixes" | "refNames">,
): Promise<OpenSnapshot> {
  const { host } = context.var;
  const name = await requestedName(context, "read");
  const snapshot = await host.repository(name).refs.open(request);
  await authorize(host, "read", name, snapshot.kind === "found" ? snapshot.record : undefined);
  if (snapshot.kind === "missing") throw notFound();
  return snapshot;
}

function refOf({ name, oid, peeled }: RefRow): ReadRef {
  return { name, oid: toHex(oid), ...(peeled === undefined ? {} : { peeled: toHex(peeled) }) };
}

/** Returns the ref of a full name, with the repository, to a caller who may read it. @throws AccessDenied, GitHubProblem */
export async function readRef(
  context: Context<ApiEnv>,
  name: string,
): Promise<{ readonly record: RepositoryRecord; readonly ref: ReadRef | undefined }> {
  const { record, refs } = await openRefs(context, { refNames: [name] });
  const { rawSize } = objectFormat(record.objectFormat);
  for (const row of decodeRefRows(refs, rawSize)) return { record, ref: refOf(row) };
  return { record, ref: undefined };
}

/**
 * Answers with the page of a list of refs that a client asks for. The refs of other pages are counted, and no more: a
 * repository may have hundreds of thousands of them.
 *
 * @throws AccessDenied, GitHubProblem
 */
export async function answerRefs(
  context: Context<ApiEnv>,
  prefix: string,
  shapesOf: (refs: readonly ReadRef[], record: RepositoryRecord) => Promise<readonly object[]> | readonly object[],
): Promise<Response> {
  const { memory, pacer } = context.var.host.repository(await requestedName(context, "read"));
  await memory.room();
  const { record, refs } = await openRefs(context, { refPrefixes: [prefix] });
  const page = requestedPage(context);
  const { rawSize } = objectFormat(record.objectFormat);
  const bytes = refs.reduce((sum, { length }) => sum + length, 0);
  const shown: ReadRef[] = [];
  let count = 0;
  memory.hold(bytes);
  try {
    for (const row of decodeRefRows(refs, rawSize)) {
      const at = count++ - firstOf(page);
      if (at >= 0 && at < page.size) shown.push(refOf(row));
      pacer.add(ROW_STEPS);
      if (pacer.isDue) await pacer.pace();
    }
  } finally {
    memory.hold(-bytes);
  }
  return answerPart(context, page, await shapesOf(shown, record), count);
}

/** Runs `work` on the repository, opened with the refs that a revision may name. */
export async function withRevision<T>(
  context: Context<ApiEnv>,
  revision: string,
  work: (session: BrowseSession, commit: NamedObject) => Promise<T>,
): Promise<T> {
  const parsed = requestedRevision(revision);
  const session = await openSession(context, [parsed]);
  try {
    return await work(session, found(await resolveCommit(session, parsed)));
  } finally {
    session.close();
  }
}

/** Runs `work` on the object of a type that the path names in full. @throws GitHubProblem if there is none. */
export async function withObject<T>(
  context: Context<ApiEnv>,
  oid: string,
  work: (session: BrowseSession, name: Uint8Array, type: ObjectType) => Promise<T>,
): Promise<T> {
  const session = await openSession(context, []);
  try {
    const name = /^[0-9a-f]+$/.test(oid) ? fromHex(oid) : undefined;
    if (name?.length !== session.format.rawSize || !(await session.isShown(name))) throw notFound();
    const type = typeOfNumber(await session.graph.reader.typeOf(name));
    if (type === undefined) throw notFound();
    return await work(session, name, type);
  } finally {
    session.close();
  }
}

/** Reads a commit, by its raw name, in the form of version 1. */
export async function readCommitJson(session: BrowseSession, name: Uint8Array): Promise<CommitJson> {
  const { tree, parents, author, committer, message, isCut } = await readCutCommit(session, name);
  return {
    oid: toHex(name),
    tree,
    parents: [...parents],
    author: author ?? null,
    committer: committer ?? null,
    message,
    ...(isCut ? { truncated: true } : {}),
  };
}
