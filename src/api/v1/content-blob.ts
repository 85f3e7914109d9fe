/**
 * `/api/v1/repos/{tenant}/{repo}/blob/{rev}/{path}`: a file as JSON, with its content where that is not large.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { readBlob } from "../../browse/blob.ts";
import { peelToTree } from "../../browse/revision.ts";
import { findPath } from "../../browse/tree-at.ts";
import { toHex } from "../../bytes/hex.ts";
import { found } from "../../http/content.ts";
import { Problem } from "../../http/problem.ts";
import { lfsPointerIn } from "../../object/lfs-pointer.ts";
import { modeText } from "../../object/tree.ts";
import type { ApiEnv } from "../api-host.ts";
import { namedBytes } from "./content-json.ts";
import { atRequestedPath, streamedJson } from "./content-request.ts";

/** The most bytes of a content that is in the answer. */
const LARGEST_CONTENT = 1024 * 1024;

/** Answers with a file. */
export async function showBlob(context: Context<ApiEnv>): Promise<Response> {
  return await atRequestedPath(context, async (session, object) => {
    const root = found(await peelToTree(session, object));
    const entry = found(await findPath(session, root.name, object.path));
    if (entry.type !== "blob") throw new Problem(422, "This is no file; tree/ lists a directory.");
    const { size, bytes, isWhole } = await readBlob(session, entry.oid, LARGEST_CONTENT);
    const pointer = lfsPointerIn(bytes);
    return await streamedJson(context, session, async (json) => {
      const members = {
        ...(root.commit && { commit: toHex(root.commit) }),
        ...namedBytes("path", object.path),
        oid: toHex(entry.oid),
        mode: modeText(entry.mode),
        size,
        ...(pointer === undefined ? {} : { lfs: pointer }),
        ...(isWhole ? {} : { encoding: null, content: null }),
      };
      for (const [member, value] of Object.entries(members)) await json.member(member, value);
      if (isWhole) await json.content(bytes);
      await json.end();
    });
  });
}
