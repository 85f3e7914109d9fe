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
import { textOf } from "../../object/byte-text.ts";
import { lfsPointerIn } from "../../object/lfs-pointer.ts";
import { modeText } from "../../object/tree.ts";
import type { ApiEnv } from "../api-host.ts";
import { namedBytes } from "./content-json.ts";
import { atRequestedPath, streamedJson } from "./content-request.ts";

/** The most bytes of a content that is in the answer. */
const LARGEST_CONTENT = 1024 * 1024;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Returns a content as text, or in base64 where it is not UTF-8. */
function encoded(bytes: Uint8Array): { readonly encoding: "utf-8" | "base64"; readonly content: string } {
  try {
    return { encoding: "utf-8", content: strict.decode(bytes) };
  } catch {
    return { encoding: "base64", content: btoa(textOf(bytes)) };
  }
}

/** Answers with a file. */
export async function showBlob(context: Context<ApiEnv>): Promise<Response> {
  return await atRequestedPath(context, async (session, object) => {
    const root = found(await peelToTree(session, object));
    const entry = found(await findPath(session, root.name, object.path));
    if (entry.type !== "blob") throw new Problem(422, "This is no file; tree/ lists a directory.");
    const { size, bytes, isWhole } = await readBlob(session, entry.oid, LARGEST_CONTENT);
    const pointer = lfsPointerIn(bytes);
    const content = isWhole ? encoded(bytes) : { encoding: null, content: null };
    return await streamedJson(context, session, async (json) => {
      const members = {
        ...(root.commit && { commit: toHex(root.commit) }),
        ...namedBytes("path", object.path),
        oid: toHex(entry.oid),
        mode: modeText(entry.mode),
        size,
        ...(pointer === undefined ? {} : { lfs: pointer }),
        ...content,
      };
      for (const [member, value] of Object.entries(members)) await json.member(member, value);
      await json.end();
    });
  });
}
