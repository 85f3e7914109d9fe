/**
 * `/api/v3/repos/{tenant}/{repo}/git/blobs`, `/git/trees`, `/git/commits`, `/git/tags`: the objects themselves.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { cutText, MOST_MESSAGE } from "../../browse/commit.ts";
import type { BrowseSession } from "../../browse/browse-session.ts";
import { peelToTree, resolveRevision } from "../../browse/revision.ts";
import { listTree, type TreeItem, type TreeItems } from "../../browse/tree-items.ts";
import { decodeBase64 } from "../../bytes/base64.ts";
import { toHex } from "../../bytes/hex.ts";
import { found } from "../../http/content.ts";
import { requestedRevision } from "../../http/content-address.ts";
import { bytesOf, textOf } from "../../object/byte-text.ts";
import { parseTag } from "../../object/tag.ts";
import { modeText } from "../../object/tree.ts";
import type { ApiEnv } from "../api-host.ts";
import { openSession } from "../v1/content-request.ts";
import { pathParam } from "../v1/requested.ts";
import { acceptedForm, answer, answerText, formed, GitHubProblem, notFound } from "./answers.ts";
import { askJson } from "./asking.ts";
import { readBody } from "./bodies.ts";
import { readCommitJson, restOf, withObject } from "./reading.ts";
import { gitCommitShape, personShape, type Place, placeOf } from "./shapes.ts";

/** Entries whose sizes are looked up. A larger list has none. */
const MOST_SIZES = 5000;
/** Characters of the entries of a tree. The paths of some are longer in JSON than they are. */
const MOST_TREE_CHARACTERS = 4 * 1024 * 1024;
/** Steps of writing an entry, and of each of its characters until the answer is there. */
const ENTRY_STEPS = 300;
const CHARACTER_STEPS = 4;

const lenient = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
const blobBody = v.looseObject({
  content: v.string(),
  encoding: v.optional(v.picklist(["utf-8", "base64"]), "utf-8"),
});

/** Returns the bytes that a body gives. @throws GitHubProblem */
export function contentBytes(content: string, encoding: "utf-8" | "base64"): Uint8Array<ArrayBuffer> {
  if (encoding === "utf-8") return new Uint8Array(new TextEncoder().encode(content));
  const bytes = decodeBase64(content.replaceAll(/\s/g, ""));
  if (bytes === undefined) throw new GitHubProblem(422, "content is not valid Base64");
  return bytes;
}

/** Reads a blob, by its raw name. @throws GitHubProblem if it is too large for JSON. */
export async function readBlob(session: BrowseSession, name: Uint8Array): Promise<Uint8Array> {
  const { reader, inflating } = session.graph;
  const size = await reader.sizeOf(name);
  if (size > inflating.wholeBytes) throw new GitHubProblem(403, "This file is too large for JSON: fetch it with git.");
  return (await reader.readCopy(name)).bytes;
}

async function showBlob(context: Context<ApiEnv>): Promise<Response> {
  const place = placeOf(context);
  const sha = pathParam(context, "oid");
  return await withObject(context, sha, async (session, name, type) => {
    if (type !== "blob") throw notFound();
    const bytes = await readBlob(session, name);
    if (acceptedForm(context) === "raw") return formed(new Uint8Array(bytes), "raw");
    return answer(context, {
      sha,
      node_id: sha,
      size: bytes.length,
      url: `${place.api}/git/blobs/${sha}`,
      content: btoa(textOf(bytes)),
      encoding: "base64",
    });
  });
}

async function makeBlob(context: Context<ApiEnv>): Promise<Response> {
  const { content, encoding } = await readBody(context, "write", blobBody);
  const bytes = contentBytes(content, encoding);
  const { oid } = await askJson(context, { method: "POST", path: "/blobs", bytes }, v.object({ oid: v.string() }));
  return answer(context, { sha: oid, url: `${placeOf(context).api}/git/blobs/${oid}` }, 201);
}

async function showTree(context: Context<ApiEnv>): Promise<Response> {
  const place = placeOf(context);
  const revision = requestedRevision(restOf(context, 2));
  const deep = context.req.query("recursive");
  const session = await openSession(context, [revision]);
  try {
    const { name } = found(await peelToTree(session, found(await resolveRevision(session, revision))));
    const list = await listTree(session, name, deep !== undefined);
    const { entries, isCut } = await entriesOf(place, session, list);
    const sha = toHex(name);
    const head = JSON.stringify({ sha, url: `${place.api}/git/trees/${sha}` });
    const text = `${head.slice(0, -1)},"tree":[${entries.join(",")}],"truncated":${isCut}}`;
    return answerText(context, text);
  } finally {
    session.close();
  }
}

/** Writes the entries as JSON, one after the other, with pauses. */
async function entriesOf(
  place: Place,
  session: BrowseSession,
  { items, isCut }: TreeItems,
): Promise<{ readonly entries: readonly string[]; readonly isCut: boolean }> {
  const entries: string[] = [];
  const areSized = items.length <= MOST_SIZES;
  let characters = 0;
  for (const item of items) {
    const entry = JSON.stringify(await itemShape(place, session, item, areSized));
    characters += entry.length;
    if (characters > MOST_TREE_CHARACTERS && entries.length > 0) return { entries, isCut: true };
    entries.push(entry);
    await session.work(ENTRY_STEPS + CHARACTER_STEPS * entry.length);
  }
  return { entries, isCut };
}

async function itemShape(
  place: Place,
  session: BrowseSession,
  { path, mode, type, oid }: TreeItem,
  isSized: boolean,
): Promise<object> {
  const sha = toHex(oid);
  const size = isSized && type === "blob" ? { size: await session.graph.reader.sizeOf(oid) } : {};
  const url = type === "commit" ? {} : { url: `${place.api}/git/${type}s/${sha}` };
  return { path: lenient.decode(bytesOf(path)), mode: modeText(mode), type, sha, ...size, ...url };
}

async function showCommit(context: Context<ApiEnv>): Promise<Response> {
  return await withObject(context, pathParam(context, "oid"), async (session, name, type) => {
    if (type !== "commit") throw notFound();
    return answer(context, gitCommitShape(placeOf(context), await readCommitJson(session, name)));
  });
}

async function showTag(context: Context<ApiEnv>): Promise<Response> {
  const sha = pathParam(context, "oid");
  const place = placeOf(context);
  return await withObject(context, sha, async (session, name, kind) => {
    if (kind !== "tag") throw notFound();
    const { object, type, name: tag, tagger, message: whole } = parseTag(await readBlob(session, name), session.format);
    const message = cutText(whole, MOST_MESSAGE);
    return answer(context, {
      node_id: sha,
      tag,
      sha,
      url: `${place.api}/git/tags/${sha}`,
      message: message.replace(/\n$/, ""),
      ...(message.length < whole.length ? { truncated: true } : {}),
      tagger: personShape(tagger ?? null),
      object: { sha: object, type, url: `${place.api}/git/${type}s/${object}` },
      verification: { verified: false, reason: "unsigned", signature: null, payload: null, verified_at: null },
    });
  });
}

/** The routes, below `/api/v3`. */
export function objectRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const git = "/repos/:tenant/:repo/git";
  routes.get(`${git}/blobs/:oid`, showBlob);
  routes.post(`${git}/blobs`, makeBlob);
  routes.get(`${git}/trees/:rev{[^]+}`, showTree);
  routes.get(`${git}/commits/:oid`, showCommit);
  routes.get(`${git}/tags/:oid`, showTag);
  return routes;
}
