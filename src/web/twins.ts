/**
 * Pages for machines: as JSON, which is the API's answer, and as Markdown. `Accept` asks for one, and so does an address
 * that ends in `.json`, where there is nothing of the whole name.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { shownName } from "../access/names.ts";
import { percentEncoded, queryBytes, withQuery } from "../http/content-address.ts";
import { Problem } from "../http/problem.ts";
import { HtmlToMarkdown } from "./html-to-markdown.ts";
import { publicOfTenant, tenantView } from "./listed-repositories.ts";
import type { PageEnv } from "./page-host.ts";
import { pageRepository, restOfPage, withRevision } from "./repository-request.ts";

/** The characters of HTML that become Markdown at once: some milliseconds of work. */
const PIECE = 32_768;
const SUFFIX = ".json";
/** The most of these that an address may end in: each is a request of its own. */
const MOST_SUFFIXES = 2;

/** The end of the tags of Markdown. */
export const MARKDOWN_TAG = "-md";

/** The headers of Markdown that comes from a repository: nothing in it runs. */
export const MARKDOWN_HEADERS = {
  "Content-Type": "text/markdown; charset=utf-8",
  "Content-Security-Policy": "default-src 'none'; sandbox",
  "Cross-Origin-Resource-Policy": "same-origin",
  Vary: "Cookie, Authorization, Accept",
} as const;

/** Returns the path of a page's twin in the API, behind `/api/v1`. */
type JsonTwin = (context: Context<PageEnv>) => Promise<string> | string;

/** What the queries of pages have for people alone. */
const OF_PAGES = "after all at changes go in plain view w".split(" ");

/** Returns the query for the API: that of the page, without what is for people. */
function searchOf({ req }: Context<PageEnv>): string {
  const left = Object.fromEntries(OF_PAGES.map((name) => [name, undefined]));
  const whitespace = req.query("w") === "1" ? "all" : undefined;
  return withQuery(new URL(req.url).search, { ...left, ...(whitespace === undefined ? {} : { whitespace }) });
}

function tenantTwin(below: string): (context: Context<PageEnv>) => string {
  return (context) => `/tenants/${encodeURIComponent(context.req.param("tenant") ?? "")}${below}${searchOf(context)}`; // The route has a tenant.
}

function repositoryTwin(below: string): (context: Context<PageEnv>) => string {
  return (context) => `/repos/${shownName(pageRepository(context))}${below}${searchOf(context)}`;
}

/** The twin of a page below `/{word}/`, which has the same rest of its path. */
function pathTwin(word: string): JsonTwin {
  return (context) => repositoryTwin(`/${word}/${percentEncoded(restOfPage(context))}`)(context);
}

function refsTwin(prefix: string): JsonTwin {
  return (context) => {
    refuse(context, ["q", "after"]);
    return `/repos/${shownName(pageRepository(context))}/refs?prefix=${prefix}`;
  };
}

/** Refuses a page that the API would not tell: it knows no such place or filter, and would tell another one. @throws Problem */
function refuse({ req }: Context<PageEnv>, names: readonly string[]): void {
  for (const name of names) {
    const value = req.query(name);
    if (value !== undefined && value !== "")
      throw new Problem(422, `${name}: this is of the page alone; its JSON has a cursor of its own.`);
  }
}

/** The twin of a log. The repository says where the revision ends and the path begins. */
async function commitsTwin(context: Context<PageEnv>): Promise<string> {
  refuse(context, ["after"]);
  const follow = context.req.query("follow") === "1" ? "true" : undefined;
  return await withRevision(context, ({ name }, { revision, path }) => {
    const query = withQuery(searchOf(context), { rev: revision, path: path === "" ? undefined : path, follow });
    return Promise.resolve(`/repos/${shownName(name)}/commits${query}`);
  });
}

function searchTwin(context: Context<PageEnv>): string {
  const revision = queryBytes(context.req.url, "rev") || "HEAD"; // None and an empty one are alike.
  const isForFiles = context.req.query("in") === "names";
  if (!isForFiles) return repositoryTwin("/search")(context);
  const query = withQuery(searchOf(context), { rev: undefined, path: undefined, regexp: undefined });
  return `/repos/${shownName(pageRepository(context))}/files/${percentEncoded(revision)}${query}`;
}

/** The twin of a tenant's page: all of its repositories for those who may list them, and what is public for others. */
async function tenantListTwin(context: Context<PageEnv>): Promise<string> {
  const { tenant, shows } = await tenantView(context);
  const search = searchOf(context);
  if (shows === "all") return `/tenants/${tenant}/repos${search}`;
  // As on the page, a tenant that has none is answered like one that is not there. The API refuses wrong credentials.
  const { principal } = await context.var.host.identify();
  if (principal.kind !== "invalid") await publicOfTenant(context, search, tenant);
  return `/repos${withQuery(search, { tenant })}`;
}

/** The front page of the host: the tenants for the operator, the repositories of their tenant for others, and what is public for strangers. */
async function homeTwin(context: Context<PageEnv>): Promise<string> {
  const { principal } = await context.var.host.identify();
  if (principal.kind === "anonymous") return `/repos${searchOf(context)}`;
  const path = principal.kind === "token" ? `/tenants/${principal.tenant}/repos` : "/tenants";
  return path + searchOf(context);
}

/** The twins of pages, by the names of these. */
const JSON_TWINS: Readonly<Record<string, JsonTwin>> = {
  homePage: homeTwin,
  adminPage: tenantsTwin,
  publicPage: (context) => `/repos${searchOf(context)}`,
  tenantPage: tenantListTwin,
  tokensPage: tenantTwin("/tokens"),
  sshKeysPage: tenantTwin("/ssh-keys"),
  frontPage: repositoryTwin(""),
  treePage: pathTwin("tree"),
  blobPage: pathTwin("blob"),
  blamePage: pathTwin("blame"),
  commitsPage: commitsTwin,
  activityPage: pathTwin("activity"),
  commitPage: pathTwin("commits"),
  comparePage: pathTwin("compare"),
  branchesPage: refsTwin("refs/heads/"),
  tagsPage: refsTwin("refs/tags/"),
  searchPage: searchTwin,
  settingsPage: repositoryTwin(""),
  rulesPage: repositoryTwin(""),
  lfsPage: repositoryTwin(""),
  mirrorPage: repositoryTwin("/mirror"),
  deployKeysPage: repositoryTwin("/deploy-keys"),
  maintenancePage: repositoryTwin("/maintenance"),
  reflogPage: repositoryTwin("/reflog"),
};

function tenantsTwin(context: Context<PageEnv>): string {
  return `/tenants${searchOf(context)}`;
}

function accepts({ headers }: Request, type: string): boolean {
  const accept = headers.get("Accept") ?? ""; // A client without the header takes a page.
  return accept.includes(type) && !accept.includes("text/html");
}

/** Whether a client wants JSON rather than a page. */
export function wantsJson(request: Request): boolean {
  return accepts(request, "json");
}

/** Whether a client wants Markdown rather than a page. */
export function wantsMarkdown(request: Request): boolean {
  return accepts(request, "text/markdown");
}

/** Returns the text of a tag for the form that a client wants: what is true of a page's HTML says nothing of its Markdown. */
export function twinTag(request: Request, tag: string): string {
  return wantsMarkdown(request) ? `${tag}${MARKDOWN_TAG}` : tag;
}

/** Answers with the JSON of a page: what the API tells the visitor. Returns `undefined` for a page that has none. */
export async function jsonTwin(name: string, context: Context<PageEnv>): Promise<Response | undefined> {
  const twin = JSON_TWINS[name];
  if (twin === undefined) return undefined;
  const { method } = context.req.raw;
  const answer = await context.var.page.api(await twin(context), { method });
  const headers = new Headers(answer.headers);
  headers.append("Vary", "Cookie, Accept");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
  return new Response(answer.body, { status: answer.status, headers });
}

/**
 * Returns the address of the page whose JSON an address asks for by its end; `undefined` if it does not. A file may be
 * called `a.json`, and its JSON is at `a.json.json`; what has a further end is not taken apart.
 */
export function pageOfJson(url: string): string | undefined {
  const { pathname, search } = new URL(url);
  const isJson = /[^/]\.json$/.test(pathname) && !pathname.endsWith(SUFFIX.repeat(MOST_SUFFIXES + 1));
  return isJson ? pathname.slice(0, -SUFFIX.length) + search : undefined;
}

/** Turns an answer with a page into one with its Markdown, as it comes. Its tag is one by {@link twinTag} already. */
export function asMarkdown(answer: Response): Response {
  const type = answer.headers.get("Content-Type") ?? ""; // A redirect has none.
  if (!type.startsWith("text/html")) return answer;
  const headers = new Headers(answer.headers);
  for (const name of ["Content-Length", "Cache-Status", "Cross-Origin-Opener-Policy", "Referrer-Policy"])
    headers.delete(name);
  for (const [name, value] of Object.entries(MARKDOWN_HEADERS)) headers.set(name, value);
  return new Response(answer.body === null ? null : markdownOf(answer.body), { status: answer.status, headers });
}

function markdownOf(html: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const writer = new HtmlToMarkdown();
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  return html.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      async transform(chunk, controller) {
        for (let at = 0; at < chunk.length; at += PIECE) {
          // A page may come in one chunk: others are served in between.
          if (at > 0) await new Promise((resolve) => setTimeout(resolve));
          const text = writer.write(decoder.decode(chunk.subarray(at, at + PIECE), { stream: true }));
          if (text !== "") controller.enqueue(encoder.encode(text));
        }
      },
      flush(controller) {
        const text = writer.write(decoder.decode()) + writer.end();
        if (text !== "") controller.enqueue(encoder.encode(text));
      },
    }),
  );
}
