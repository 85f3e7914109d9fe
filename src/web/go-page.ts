/**
 * `/{tenant}/{repo}/tree?go={rev}`, `/commits?go={rev}` and `/activity?go={rev}`: leads a form without a script to the page of a revision.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { percentDecoded, queryBytes } from "../http/content-address.ts";
import { pathLink, repositoryLink } from "./links.ts";
import type { PageEnv } from "./page-host.ts";
import { pageRepository } from "./repository-request.ts";

/** Answers with the address of the page. */
export function goPage(context: Context<PageEnv>, page: "tree" | "commits" | "activity"): Response {
  const name = pageRepository(context);
  const revision = queryBytes(context.req.url, "go").trim();
  const path = percentDecoded(queryBytes(context.req.url, "path"));
  if (revision === "") return context.redirect(repositoryLink(name), 302);
  return context.redirect(pathLink(name, page, revision, path), 302);
}
