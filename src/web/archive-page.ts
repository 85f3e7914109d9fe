/**
 * `/{tenant}/{repo}/archive/{rev}.tar.gz`: the API's archive, for a visitor who has signed in with a cookie.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { shownName } from "../access/names.ts";
import { Problem } from "../http/problem.ts";
import { withoutEmptySegments } from "../http/path-segments.ts";
import { assertDone } from "./api-json.ts";
import type { PageEnv } from "./page-host.ts";
import { pageRepository } from "./repository-request.ts";

/** `/{tenant}/{repo}/archive`, and an empty piece before it. */
const PIECES_BEFORE_FILE = 4;

/** Answers with an archive. */
export async function archivePage(context: Context<PageEnv>): Promise<Response> {
  const name = pageRepository(context);
  const { pathname, search } = new URL(context.req.url);
  const file = withoutEmptySegments(pathname).split("/").slice(PIECES_BEFORE_FILE).join("/");
  const { headers, method } = context.req.raw;
  const known = headers.get("If-None-Match");
  const answer = await context.var.page.api(`/repos/${shownName(name)}/archive/${file}${search}`, {
    method,
    ...(known === null ? {} : { headers: { "If-None-Match": known } }),
  });
  // As on every other page of a repository: one that the visitor may not see is missing.
  if (answer.status === 401) throw new Problem(404, "There is no such repository.");
  if (answer.status !== 304) await assertDone(answer);
  // The API has counted what it sends: it is not to be read whole for that.
  context.var.host.traffic.send(0);
  return answer;
}
