/**
 * Answers Go's question where the source of a module is. The answer is made from the URL alone, and is the same whether
 * there is such a repository or not: a stranger learns nothing.
 *
 * @packageDocumentation
 * @see https://go.dev/ref/mod#vcs-find
 */
import { Hono } from "hono";
import { parseGitRepositoryName, shownName } from "../access/names.ts";
import type { HostEnv } from "./host.ts";

/** The parameter with the value by which Go asks. */
const QUESTION = ["go-get", "1"] as const;

/**
 * Returns the content of the `go-import` tag: the path at which modules begin, and the repository's address. Returns
 * `undefined` if the path names no repository.
 */
function importOf(url: URL): string | undefined {
  const [, tenant = "", repo = ""] = url.pathname.split("/");
  const name = parseGitRepositoryName(tenant, repo);
  if (name === undefined) return undefined;
  return `${url.host}/${tenant}/${repo} git ${url.origin}/${shownName(name)}.git`;
}

/** The route of Go's question, for a repository and for each path below it. Other requests are left to the next handler. */
export function goImportRoutes(): Hono<HostEnv> {
  const routes = new Hono<HostEnv>();
  routes.get("/:tenant/:repo/*", (context, next) => {
    const url = new URL(context.req.url);
    const content = url.searchParams.get(QUESTION[0]) === QUESTION[1] ? importOf(url) : undefined;
    if (content === undefined) return next();
    context.header("Content-Security-Policy", "default-src 'none'");
    // Neither a host nor a valid name has a character that HTML gives a meaning.
    return context.html(`<!doctype html><html><head><meta name="go-import" content="${content}"></head></html>`);
  });
  return routes;
}
