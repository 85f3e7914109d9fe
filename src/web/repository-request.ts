/**
 * What the URL of a repository's page names, and the session in which it is read.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { decide, mightWrite } from "../access/decide.ts";
import { parseGitRepositoryName, type RepositoryName, shownName, spellingOf } from "../access/names.ts";
import type { BrowseSession } from "../browse/browse-session.ts";
import { peelToTree, resolveSplit, type NamedObject } from "../browse/revision.ts";
import { findPath, type FoundEntry } from "../browse/tree-at.ts";
import { type RevisionSyntax, splitRevisionPath } from "../browse/revision-syntax.ts";
import { found, openContent } from "../http/content.ts";
import { Problem } from "../http/problem.ts";
import { byteTextOf } from "../object/escaped-bytes.ts";
import type { RepositoryRecord } from "../refs/ref-store.ts";
import { pathAfter } from "../http/content-address.ts";
import type { PageEnv } from "./page-host.ts";

/** `/{tenant}/{repo}/{word}`, and an empty piece before it. */
const PIECES_BEFORE_REST = 4;

/** A repository whose page is shown. */
export type ShownRepository = {
  readonly name: RepositoryName;
  readonly record: RepositoryRecord;
  readonly mayAdminister: boolean;
  /** Whether the visitor may know where a mirror comes from: those who could push have to know where to push. */
  readonly showsUpstream: boolean;
};

/** A page of a repository in the making. The session has to be closed. */
export type RepositoryPage = ShownRepository & {
  readonly session: BrowseSession;
  /** Leaves it to an answer that goes on to close the session. */
  handOver(): void;
};

/** What a page shows: a revision as it was written, and the object that it names. */
export type ShownRevision = {
  /** One character per byte. */
  readonly revision: string;
  /** One character per byte. */
  readonly path: string;
  readonly object: NamedObject;
};

/**
 * Returns the repository's name in the path.
 *
 * @throws Problem if no repository can have it.
 */
export function pageRepository(context: Context<PageEnv>): RepositoryName {
  const { tenant = "", repo = "" } = context.req.param();
  const name = parseGitRepositoryName(tenant, repo);
  if (name === undefined) throw new Problem(404, "There is no such repository.");
  return name;
}

/** Returns the rest of the path behind the page's word, with one character per byte and without a final slash. */
export function restOfPage(context: Context<PageEnv>): string {
  return pathAfter(context.req.url, PIECES_BEFORE_REST);
}

/**
 * Opens the repository for a visitor that may read it, runs `work`, and closes the session.
 *
 * @throws AccessDenied, Problem
 */
export async function withRepository<T>(
  context: Context<PageEnv>,
  revisions: readonly RevisionSyntax[],
  work: (page: RepositoryPage) => Promise<T>,
  refPrefixes?: readonly string[],
): Promise<T> {
  const { host } = context.var;
  const asked = pageRepository(context);
  const session = await openContent(host, asked, revisions, refPrefixes);
  let isHandedOver = false;
  try {
    const { record } = session.answer;
    const { principal } = await host.identify(asked);
    const mayAdminister = decide(principal, "administer", asked, record) === "allow";
    const showsUpstream = mightWrite(principal, asked);
    const handOver = (): void => {
      isHandedOver = true;
    };
    return await work({ name: respelled(asked, record), record, mayAdminister, showsUpstream, session, handOver });
  } catch (error) {
    session.close();
    throw error;
  } finally {
    if (!isHandedOver) session.close();
  }
}

/** Returns the name as the repository shows it. */
function respelled(name: RepositoryName, { spelled }: RepositoryRecord): RepositoryName {
  if (spelled === undefined || spelled === shownName(name)) return name;
  const [tenant = "", repo = ""] = spelled.split("/");
  return { ...name, spelled: { tenant, repo } };
}

/** Returns the two names of a repository, as they are shown. */
export function shownNames(name: RepositoryName): { readonly tenant: string; readonly repo: string } {
  return spellingOf(name);
}

/**
 * Opens the repository and resolves `{revision}/{path}` of the page's address.
 *
 * @throws AccessDenied, Problem
 */
export async function withRevision<T>(
  context: Context<PageEnv>,
  work: (page: RepositoryPage, shown: ShownRevision) => Promise<T>,
): Promise<T> {
  const text = restOfPage(context);
  const splits = splitRevisionPath(text === "" ? "HEAD" : text);
  const revisions = splits.map(({ revision }) => revision);
  return await withRepository(context, revisions, async (page) => {
    const object = found(await resolveSplit(page.session, splits));
    const { path } = object;
    const revision = path === "" ? text : text.slice(0, -path.length - 1);
    return await work(page, { revision: revision === "" ? "HEAD" : revision, path, object });
  });
}

/** Returns the tree of a shown revision, and its commit where it has one. @throws Problem */
export async function rootOf(session: BrowseSession, object: NamedObject): Promise<NamedObject> {
  return found(await peelToTree(session, object));
}

/** Returns the entry at a page's path. @throws Problem */
export async function entryAt(session: BrowseSession, { object, path }: ShownRevision): Promise<FoundEntry> {
  if (path === "" && object.type === "blob") return { kind: "found", mode: 0o100644, oid: object.name, type: "blob" };
  const root = await rootOf(session, object);
  return found(await findPath(session, root.name, path));
}

/** Returns the name of the branch that HEAD points to, as people write it and with one character per byte. */
export function defaultBranch({ head }: RepositoryRecord): string {
  return byteTextOf(head).replace(/^refs\/heads\//, "");
}
