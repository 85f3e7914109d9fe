/**
 * Reads what a request's repository has, for the routes of the facade.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import type { BrowseSession } from "../../browse/browse-session.ts";
import { readCommit } from "../../browse/commit.ts";
import { type NamedObject, resolveCommit } from "../../browse/revision.ts";
import { fromHex, toHex } from "../../bytes/hex.ts";
import { found } from "../../http/content.ts";
import { pathAfter, requestedRevision } from "../../http/content-address.ts";
import { authorize } from "../../http/denied.ts";
import { readEscapes } from "../../object/escaped-bytes.ts";
import { objectFormat } from "../../object/object-id.ts";
import { type ObjectType, typeOfNumber } from "../../object/object-type.ts";
import { decodeRefRows } from "../../refs/ref-rows.ts";
import type { OpenRequest, RepositoryRecord } from "../../refs/ref-store.ts";
import type { ApiEnv } from "../api-host.ts";
import { openSession } from "../v1/content-request.ts";
import { requestedName } from "../v1/requested.ts";
import { notFound } from "./answers.ts";
import type { CommitJson } from "./shapes.ts";

/** `/api/v3/repos/{tenant}/{repo}`, and an empty piece before it. */
const PIECES_OF_REPOSITORY = 6;

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

/** Returns the refs that a caller who may read the repository asks for, with the repository. @throws AccessDenied */
export async function readRefs(
  context: Context<ApiEnv>,
  request: Pick<OpenRequest, "refPrefixes" | "refNames">,
): Promise<{ readonly record: RepositoryRecord; readonly refs: readonly ReadRef[] }> {
  const { host } = context.var;
  const name = await requestedName(context, "read");
  const snapshot = await host.repository(name).refs.open(request);
  await authorize(host, "read", name, snapshot.kind === "found" ? snapshot.record : undefined);
  if (snapshot.kind === "missing") throw notFound();
  const { rawSize } = objectFormat(snapshot.record.objectFormat);
  const refs = Array.from(decodeRefRows(snapshot.refs, rawSize), (row): ReadRef => ({
    name: row.name,
    oid: toHex(row.oid),
    ...(row.peeled === undefined ? {} : { peeled: toHex(row.peeled) }),
  }));
  return { record: snapshot.record, refs };
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
  const { tree, parents, author, committer, message } = await readCommit(session, name);
  return {
    oid: toHex(name),
    tree,
    parents: [...parents],
    author: author ?? null,
    committer: committer ?? null,
    message,
  };
}
