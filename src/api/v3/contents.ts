/**
 * `/api/v3/repos/{tenant}/{repo}/contents`, `/readme`, `/tarball`, `/zipball`: files and directories of a revision.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import type { BrowseSession } from "../../browse/browse-session.ts";
import { treeOf } from "../../browse/commit.ts";
import { blobSizes, type DirectoryEntry, findPath, type FoundEntry, listEntries } from "../../browse/tree-at.ts";
import { toHex } from "../../bytes/hex.ts";
import { found } from "../../http/content.ts";
import { bytesOf, textOf } from "../../object/byte-text.ts";
import { percentEncoded, queryBytes, utf8Text } from "../../http/content-address.ts";
import { byteTextOf, readEscapes } from "../../object/escaped-bytes.ts";
import { isSymlink } from "../../object/tree.ts";
import type { ApiEnv } from "../api-host.ts";
import { requestedRepository } from "../v1/requested.ts";
import { acceptedForm, answer, formed, GitHubProblem, notFound } from "./answers.ts";
import { askJson } from "./asking.ts";
import { readBody } from "./bodies.ts";
import { contentBytes, readBlob } from "./objects.ts";
import { readCommitJson, restOf, withRevision } from "./reading.ts";
import { gitCommitShape, type Place, placeOf } from "./shapes.ts";

/** Entries of a directory that are listed, as many as GitHub lists. */
const MOST_ENTRIES = 1000;
/** Bytes of a file up to which its content is in the answer, as with GitHub. */
const MOST_INLINE = 1024 * 1024;
/** Bytes of a content that goes into the commit's own request. A larger one is sent before. */
const MOST_IN_COMMIT = 1024 * 1024;
const README = /^readme(?:\.(?:md|markdown|mkd|txt|rst|adoc|org))?$/i;

const lenient = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
const person = v.looseObject({ name: v.string(), email: v.string(), date: v.optional(v.string()) });
const fileBody = v.looseObject({
  message: v.string(),
  content: v.optional(v.string()),
  sha: v.nullish(v.string()),
  branch: v.nullish(v.string()),
  author: v.nullish(person),
  committer: v.nullish(person),
});
type FileBody = v.InferOutput<typeof fileBody>;

/** Something at a path of a commit. The path has one character per byte. */
type Item = {
  readonly path: string;
  readonly ref: string;
  readonly type: string;
  readonly oid: string;
  readonly mode: number;
  readonly size: number;
};

const TYPES: Readonly<Record<string, string>> = { blob: "file", tree: "dir", commit: "submodule" };

function itemShape(place: Place, { path, ref, type, oid, mode, size }: Item): object {
  const encoded = percentEncoded(path);
  const self = `${place.api}/contents/${encoded}?ref=${percentEncoded(ref)}`;
  const kind = isSymlink(mode) ? "symlink" : (TYPES[type] ?? "file");
  const word = type === "tree" ? "tree" : "blob";
  const git = type === "commit" ? null : `${place.api}/git/${type}s/${oid}`;
  const html = `${place.html}/${word}/${percentEncoded(ref)}/${encoded}`;
  const download = type === "blob" ? `${place.origin}/api/v1/repos/${place.name}/raw/${percentEncoded(ref)}/${encoded}` : null; // prettier-ignore
  const shown = lenient.decode(bytesOf(path));
  return {
    name: shown.slice(shown.lastIndexOf("/") + 1),
    path: shown,
    sha: oid,
    size,
    url: self,
    html_url: html,
    git_url: git,
    download_url: download,
    type: kind,
    _links: { self, git, html },
  };
}

/** Answers with a file: its content where it is small, or its bytes where the client takes them. */
async function fileAnswer(
  context: Context<ApiEnv>,
  session: BrowseSession,
  entry: FoundEntry,
  at: Pick<Item, "path" | "ref">,
): Promise<Response> {
  const isRaw = acceptedForm(context) === "raw";
  const size = await session.graph.reader.sizeOf(entry.oid);
  const item = { ...at, type: entry.type, oid: toHex(entry.oid), mode: entry.mode, size };
  const shape = itemShape(placeOf(context), item);
  if (size > MOST_INLINE && !isRaw) return answer(context, { ...shape, content: "", encoding: "none" });
  const bytes = await readBlob(session, entry.oid);
  if (isRaw) return formed(new Uint8Array(bytes), "raw");
  const target = isSymlink(entry.mode) ? { target: lenient.decode(bytes) } : {};
  return answer(context, { ...shape, ...target, content: btoa(textOf(bytes)), encoding: "base64" });
}

async function show(context: Context<ApiEnv>): Promise<Response> {
  const path = restOf(context, 1);
  const ref = queryBytes(context.req.url, "ref") || "HEAD";
  return await withRevision(context, ref, async (session, { name }) => {
    const tree = await treeOf(session, name);
    const entry = found(await findPath(session, tree, path));
    if (entry.type === "blob") return await fileAnswer(context, session, entry, { path, ref });
    const place = placeOf(context);
    const oid = toHex(entry.oid);
    if (entry.type === "commit") {
      return answer(context, itemShape(place, { path, ref, type: "commit", oid, mode: entry.mode, size: 0 }));
    }
    const entries = await listEntries(session, entry.oid, { first: 0, count: MOST_ENTRIES });
    return answer(context, await directoryShape(session, entries, { place, path, ref }));
  });
}

async function directoryShape(
  session: BrowseSession,
  entries: readonly DirectoryEntry[],
  { place, path, ref }: { readonly place: Place; readonly path: string; readonly ref: string },
): Promise<object[]> {
  const sizes = await blobSizes(session, entries);
  return entries.map(({ name, type, oid, mode }, at) =>
    itemShape(place, {
      path: path === "" ? name : `${path}/${name}`,
      ref,
      type,
      oid: toHex(oid),
      mode,
      size: sizes[at] ?? 0, // What is no blob has none.
    }),
  );
}

async function showReadme(context: Context<ApiEnv>): Promise<Response> {
  const ref = queryBytes(context.req.url, "ref") || "HEAD";
  return await withRevision(context, ref, async (session, { name }) => {
    const entries = await listEntries(session, await treeOf(session, name), { first: 0, count: MOST_ENTRIES });
    const entry = entries.find((each) => each.type === "blob" && README.test(each.name));
    if (entry === undefined) throw notFound();
    return await fileAnswer(context, session, { kind: "found", ...entry }, { path: entry.name, ref });
  });
}

/** What a branch has at a path now. Names are hexadecimal. */
type Present = { readonly branch: string; readonly head: string | null; readonly file: string | undefined };

/** Finds what is at a path of the branch that a body names, or of the default branch. */
async function presentAt(context: Context<ApiEnv>, path: string, { branch }: FileBody): Promise<Present> {
  const { record } = await requestedRepository(context, "write");
  const full =
    branch === undefined || branch === null ? record.head : `refs/heads/${branch.replace(/^refs\/heads\//, "")}`;
  const short = full.replace(/^refs\/heads\//, "");
  try {
    return await withRevision(context, byteTextOf(full), async (session, { name }) => {
      const entry = await findPath(session, await treeOf(session, name), path);
      const isFile = entry.kind === "found" && entry.type === "blob";
      if (entry.kind === "found" && entry.type === "tree") throw new GitHubProblem(422, "This path is a directory.");
      return { branch: short, head: toHex(name), file: isFile ? toHex(entry.oid) : undefined };
    });
  } catch (error) {
    // The first commit of an empty repository makes its branch.
    const isFirst = full === record.head && record.pushedAt === undefined;
    if (error instanceof GitHubProblem || !isFirst) throw error;
    return { branch: short, head: null, file: undefined };
  }
}

const made = v.object({ oid: v.string() });

/** Makes a commit of one action, by version 1. */
async function commitOne(
  context: Context<ApiEnv>,
  { branch, head }: Present,
  body: FileBody,
  action: object,
): Promise<string> {
  const { message, author, committer } = body;
  const people = {
    ...(author ? { author: personOf(author) } : {}),
    ...(committer ? { committer: personOf(committer) } : author ? { committer: personOf(author) } : {}),
  };
  const json = { branch, expected_head: head, message, ...people, allow_empty: true, actions: [action] };
  return (await askJson(context, { method: "POST", path: "/commits", json }, made)).oid;
}

function personOf({ name, email, date }: v.InferOutput<typeof person>): object {
  return { name, email, ...(date === undefined ? {} : { date }) };
}

/** Refuses a change of a file that is not as the client knows it. @throws GitHubProblem */
function assertKnown(file: string | undefined, sha: string | null | undefined, path: string): void {
  const known = sha ?? undefined;
  if (file === known) return;
  if (known === undefined) throw new GitHubProblem(422, `Invalid request.\n\n"sha" wasn't supplied.`);
  throw new GitHubProblem(409, `${path} does not match ${known}`);
}

/** Returns the action that writes a content. A large one is sent as a blob before. */
async function writing(context: Context<ApiEnv>, bytes: Uint8Array<ArrayBuffer>): Promise<object> {
  if (bytes.length <= MOST_IN_COMMIT) return { content: btoa(textOf(bytes)), encoding: "base64" };
  const { oid } = await askJson(context, { method: "POST", path: "/blobs", bytes }, made);
  return { blob: oid };
}

/** Returns the path that a request changes, with one character per byte, and as text. @throws Problem if it is none */
function changedPath(context: Context<ApiEnv>): { readonly path: string; readonly shown: string } {
  const path = restOf(context, 1);
  return { path, shown: utf8Text(path, "The path") };
}

async function put(context: Context<ApiEnv>): Promise<Response> {
  const body = await readBody(context, "write", fileBody);
  const { path, shown } = changedPath(context);
  if (body.content === undefined) throw new GitHubProblem(422, `Invalid request.\n\n"content" wasn't supplied.`);
  const bytes = contentBytes(body.content, "base64");
  const present = await presentAt(context, path, body);
  assertKnown(present.file, body.sha, shown);
  const isNew = present.file === undefined;
  const action = { action: isNew ? "create" : "update", path: shown, ...(await writing(context, bytes)) };
  const commit = await commitOne(context, present, body, action);
  return await withRevision(context, commit, async (session, { name }) => {
    const entry = found(await findPath(session, await treeOf(session, name), path));
    const oid = toHex(entry.oid);
    const item = { path, ref: byteTextOf(present.branch), type: "blob", oid, mode: entry.mode, size: bytes.length };
    const place = placeOf(context);
    const shape = gitCommitShape(place, await readCommitJson(session, name));
    return answer(context, { content: itemShape(place, item), commit: shape }, isNew ? 201 : 200);
  });
}

async function remove(context: Context<ApiEnv>): Promise<Response> {
  const query = (name: string): string | undefined => queryBytes(context.req.url, name) || undefined;
  const text = query("message");
  const body = { ...(await readBody(context, "write", v.partial(fileBody))) };
  const { path, shown } = changedPath(context);
  const message = body.message ?? (text === undefined ? undefined : utf8Text(text, "message"));
  const sha = body.sha ?? query("sha");
  if (message === undefined || sha === undefined) {
    throw new GitHubProblem(422, `Invalid request.\n\n"${message === undefined ? "message" : "sha"}" wasn't supplied.`);
  }
  const named = query("branch");
  const branch = body.branch ?? (named === undefined ? undefined : readEscapes(named));
  const asked = { ...body, message, ...(branch === undefined ? {} : { branch }) };
  const present = await presentAt(context, path, asked);
  if (present.file === undefined) throw notFound();
  assertKnown(present.file, sha, shown);
  const commit = await commitOne(context, present, asked, { action: "delete", path: shown });
  return await withRevision(context, commit, async (session, { name }) => {
    const shape = gitCommitShape(placeOf(context), await readCommitJson(session, name));
    return answer(context, { content: null, commit: shape });
  });
}

/** Leads to an archive of version 1, of the commit that the revision names now. */
async function archive(context: Context<ApiEnv>, ending: string): Promise<Response> {
  const rev = restOf(context, 1);
  return await withRevision(context, rev === "" ? "HEAD" : rev, async (_session, { name }) => {
    const oid = toHex(name);
    const place = placeOf(context);
    const prefix = `${place.name.replace("/", "-")}-${oid.slice(0, 7)}/`;
    const location = `${place.origin}/api/v1/repos/${place.name}/archive/${oid}${ending}?prefix=${encodeURIComponent(prefix)}`;
    return new Response(null, { status: 302, headers: { Location: location } });
  });
}

/** The routes, below `/api/v3`. */
export function contentRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const repository = "/repos/:tenant/:repo";
  routes.get(`${repository}/contents`, show);
  routes.get(`${repository}/contents/:path{[^]+}`, show);
  routes.put(`${repository}/contents/:path{[^]+}`, put);
  routes.delete(`${repository}/contents/:path{[^]+}`, remove);
  routes.get(`${repository}/readme`, showReadme);
  for (const [word, ending] of [
    ["tarball", ".tar.gz"],
    ["zipball", ".zip"],
  ] as const) {
    // prettier-ignore
    routes.get(`${repository}/${word}`, async (context) => await archive(context, ending));
    routes.get(`${repository}/${word}/:rev{[^]+}`, async (context) => await archive(context, ending));
  }
  return routes;
}
