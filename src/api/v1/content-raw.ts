/**
 * `/api/v1/repos/{tenant}/{repo}/raw/{rev}/{path}`: a file as it is.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { rawContent } from "../../http/raw-content.ts";
import type { ApiEnv } from "../api-host.ts";
import { restOfPath } from "./content-request.ts";
import { requestedName } from "./requested.ts";

/** Answers with a file, or a part of it. */
export async function rawFile(context: Context<ApiEnv>): Promise<Response> {
  const name = await requestedName(context, "read");
  return await rawContent(context.var.host, context.req.raw, { name, rest: restOfPath(context) });
}
