/**
 * `/{tenant}/{repo}/raw/{rev}/{path}`: a file as it is. Images and other media have their own types, so that a page can
 * show them. Nothing in a file may run: it is in a sandbox of its own.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { rawContent } from "../http/raw-content.ts";
import { mediaOf } from "./media-type.ts";
import type { PageEnv } from "./page-host.ts";
import { pageRepository, restOfPage } from "./repository-request.ts";

/** Answers with a file. `tagEnd` ends its tag where it is the twin of a page. */
export async function rawPage(context: Context<PageEnv>, tagEnd?: string): Promise<Response> {
  const { host } = context.var;
  const asked = {
    name: pageRepository(context),
    rest: restOfPage(context),
    ...(tagEnd === undefined ? {} : { tagEnd }),
  };
  return await rawContent(host, context.req.raw, { ...asked, mediaType: (first) => mediaOf(first)?.type });
}
