/**
 * `git archive --remote`: makes an archive of what a ref reaches, over HTTP or on a connection.
 *
 * @packageDocumentation
 * @see git-upload-archive(1), builtin/upload-archive.c
 */
import { type ArchiveRequest, writeArchive } from "../browse/archive.ts";
import { type ArchiveArguments, FORMAT_NAMES, parseArchiveArguments } from "../browse/archive-arguments.ts";
import { BrowseSession } from "../browse/browse-session.ts";
import { peelToTree, refNamesIn, resolveRevision } from "../browse/revision.ts";
import { findPath } from "../browse/tree-at.ts";
import { ProtocolError } from "../bytes/failure.ts";
import type { OpenSnapshot } from "../refs/ref-store.ts";
import type { Exchange } from "../service/exchange.ts";
import { answerFaults, type ServiceCall } from "../service/failure.ts";
import { RequestReader } from "../service/request-reader.ts";
import { ArchiveRequestParser, formatArchiveAck } from "../wire/archive-request.ts";
import { SIDE_BAND_64K_PACKET_MAX } from "../wire/side-band.ts";

const encoder = new TextEncoder();

/** Answers one request. Returns whether there was no fault. */
export async function serveUploadArchive(exchange: Exchange): Promise<boolean> {
  return await answerFaults(exchange, async (call) => {
    const parser = new ArchiveRequestParser();
    const reader = new RequestReader(exchange.input);
    if ((await reader.peek()) === undefined) return;
    await reader.feed(parser);
    const asked = parseArchiveArguments(parser.result);
    const names = asked.kind === "archive" ? refNamesIn([asked.revision]) : [];
    const snapshot = await call.admission.open({ packs: true, refNames: names });
    if (snapshot === undefined) throw new ProtocolError("repository not found");
    // Whatever is wrong from here on is told over side-bands, as by git, whose client ends with status 1 then.
    formatArchiveAck(call.answer.lines);
    await call.answer.startBands(SIDE_BAND_64K_PACKET_MAX);
    if (asked.kind === "wrong") throw new ProtocolError(asked.why);
    if (asked.kind === "list") await list(call);
    else await archive(call, snapshot, asked);
  });
}

async function list({ answer }: ServiceCall): Promise<void> {
  await answer.data(encoder.encode(FORMAT_NAMES.map((name) => `${name}\n`).join("")));
  await answer.end();
}

async function archive(call: ServiceCall, snapshot: OpenSnapshot, asked: ArchiveArguments): Promise<void> {
  const { exchange, answer } = call;
  const session = await BrowseSession.open(exchange.repository, snapshot);
  try {
    const request = await requestOf(session, asked);
    session.parkWhileWaiting();
    await writeArchive(session, request, asked.format, {
      write: async (bytes) => {
        await answer.data(bytes);
        await session.awake();
      },
    });
    await answer.end();
  } finally {
    session.close();
  }
}

/** Returns git's words for a revision that is not found: it looks for a ref in what stands before a colon. */
async function wordsOf(session: BrowseSession, { named, revision }: ArchiveArguments): Promise<string> {
  const { path, ...ref } = revision;
  if (path === undefined) return `no such ref: ${named}`;
  const isThere = (await resolveRevision(session, ref)).kind === "found";
  return isThere ? `not a valid object name: ${named}` : `no such ref: ${named.slice(0, named.indexOf(":"))}`;
}

/** Finds the tree that is asked for, and the paths in it. @throws ProtocolError in git's words */
async function requestOf(session: BrowseSession, asked: ArchiveArguments): Promise<ArchiveRequest> {
  const { revision, paths, prefix } = asked;
  const object = await resolveRevision(session, revision);
  if (object.kind === "missing") throw new ProtocolError(await wordsOf(session, asked));
  if (object.kind !== "found") throw new ProtocolError(object.detail);
  const root = await peelToTree(session, object);
  if (root.kind !== "found") throw new ProtocolError(root.detail);
  for (const path of paths) {
    if (path !== "" && (await findPath(session, root.name, path)).kind !== "found") {
      throw new ProtocolError(`pathspec '${path}' did not match any files`);
    }
  }
  // A tree that was named as a tree has neither a commit nor a time, as in git.
  const isTree = object.type === "tree" || root.commit === undefined;
  return { tree: root.name, prefix, paths, ...(!isTree && root.commit && { commit: root.commit }) };
}
