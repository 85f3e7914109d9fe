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
import { ArchiveRequestParser, formatArchiveAck, formatArchiveNack } from "../wire/archive-request.ts";
import { SIDE_BAND_64K_PACKET_MAX } from "../wire/side-band.ts";

const encoder = new TextEncoder();

/** Why no archive is made, for the user. */
class ArchiveRefused extends Error {}

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
    if (asked.kind === "wrong") await refuse(call, asked.why);
    else if (asked.kind === "list") await list(call);
    else await archive(call, snapshot, asked);
  });
}

async function refuse({ answer }: ServiceCall, why: string): Promise<void> {
  formatArchiveNack(why, answer.lines);
  await answer.send();
}

async function list({ answer }: ServiceCall): Promise<void> {
  formatArchiveAck(answer.lines);
  await answer.startBands(SIDE_BAND_64K_PACKET_MAX);
  await answer.data(encoder.encode(FORMAT_NAMES.map((name) => `${name}\n`).join("")));
  await answer.end();
}

async function archive(call: ServiceCall, snapshot: OpenSnapshot, asked: ArchiveArguments): Promise<void> {
  const { exchange, answer } = call;
  const session = await BrowseSession.open(exchange.repository, snapshot);
  try {
    const request = await requestOf(session, asked);
    formatArchiveAck(answer.lines);
    await answer.startBands(SIDE_BAND_64K_PACKET_MAX);
    session.parkWhileWaiting();
    await writeArchive(session, request, asked.format, {
      write: async (bytes) => {
        await answer.data(bytes);
        await session.awake();
      },
    });
    await answer.end();
  } catch (error) {
    if (!(error instanceof ArchiveRefused)) throw error;
    await refuse(call, error.message);
  } finally {
    session.close();
  }
}

/** Finds the tree that is asked for, and the paths in it. @throws ArchiveRefused in git's words */
async function requestOf(
  session: BrowseSession,
  { revision, paths, prefix }: ArchiveArguments,
): Promise<ArchiveRequest> {
  const object = await resolveRevision(session, revision);
  if (object.kind !== "found") throw new ArchiveRefused(object.detail);
  const root = await peelToTree(session, object);
  if (root.kind !== "found") throw new ArchiveRefused(root.detail);
  for (const path of paths) {
    if (path !== "" && (await findPath(session, root.name, path)).kind !== "found") {
      throw new ArchiveRefused(`pathspec '${path}' did not match any files`);
    }
  }
  // A tree that was named as a tree has neither a commit nor a time, as in git.
  const isTree = object.type === "tree" || root.commit === undefined;
  return { tree: root.name, prefix, paths, ...(!isTree && root.commit && { commit: root.commit }) };
}
