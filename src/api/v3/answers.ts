/**
 * Answers as GitHub gives them: JSON with a tag, refusals, and lists in pages.
 *
 * @packageDocumentation
 * @see https://docs.github.com/rest/using-the-rest-api
 */
import type { Context } from "hono";
import { contentTag } from "../../bytes/content-tag.ts";
import { isKnown } from "../../http/content.ts";
import { withQuery } from "../../http/content-address.ts";
import { CHALLENGE } from "../../http/denied.ts";
import { explainError } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";

/** The version of GitHub's API whose shapes these are. */
const API_VERSION = "2022-11-28";
const DOCUMENTATION = "/docs/github-api.md";
/** Items of a page: as many as GitHub gives, and at most. */
const USUAL_PAGE = 30;
const MOST_PAGE = 100;
/** The headers of a refusal that go out with it. */
const KEPT_HEADERS = ["Retry-After", "RateLimit", "Location", "WWW-Authenticate", "Allow"];

const HEADERS = {
  "Content-Type": "application/json; charset=utf-8",
  "X-GitHub-Media-Type": "github.v3; format=json",
  "X-GitHub-Api-Version-Selected": API_VERSION,
};

/** A refusal with GitHub's members. */
export class GitHubProblem extends Error {
  override readonly name = "GitHubProblem";
  readonly status: number;
  readonly headers: Headers;
  /** What version 1 calls the refusal, if it comes from there. */
  readonly code: string | undefined;

  constructor(status: number, message: string, more: { readonly headers?: Headers; readonly code?: string } = {}) {
    super(message);
    this.status = status;
    this.headers = more.headers ?? new Headers();
    this.code = more.code;
  }
}

/** Makes the refusal of what is not there. */
export function notFound(): GitHubProblem {
  return new GitHubProblem(404, "Not Found");
}

function refusal(status: number, message: string, from: Headers): Response {
  const headers = new Headers({ ...HEADERS, "Cache-Control": "no-store" });
  for (const name of KEPT_HEADERS) {
    const value = from.get(name);
    if (value !== null) headers.set(name, value);
  }
  // RFC 9110, section 11.6.1: a 401 says how to come with credentials.
  if (status === 401) headers.set("WWW-Authenticate", CHALLENGE);
  const body = { message, documentation_url: DOCUMENTATION, status: String(status) };
  return new Response(JSON.stringify(body), { status, headers });
}

/** Returns the answer to an error. */
export function refused(error: unknown): Response {
  if (error instanceof GitHubProblem) return refusal(error.status, error.message, error.headers);
  const { status, detail, headers = {} } = explainError("api", error);
  return refusal(status, detail, new Headers(headers));
}

/** Refuses a version of GitHub's API that these are not the shapes of. @throws GitHubProblem */
export function assertVersion(asked: string | undefined): void {
  if (asked === undefined || asked === API_VERSION) return;
  throw new GitHubProblem(400, `X-GitHub-Api-Version: ${API_VERSION} is the version that there is.`);
}

/** Answers with JSON. An answer to a question has a tag, by which a client that has it is told so. */
export function answer(
  context: Context<ApiEnv>,
  body: unknown,
  status = 200,
  more: Readonly<Record<string, string>> = {},
): Response {
  return answerText(context, JSON.stringify(body), status, more);
}

/** The same with the text of the JSON: what is long is written in parts, with pauses. */
export function answerText(
  context: Context<ApiEnv>,
  text: string,
  status = 200,
  more: Readonly<Record<string, string>> = {},
): Response {
  const isQuestion = context.req.method === "GET";
  const etag = `"${contentTag(text)}"`;
  const caching = isQuestion ? { ETag: `W/${etag}`, "Cache-Control": "private, no-cache", Vary: "Authorization" } : { "Cache-Control": "no-store" }; // prettier-ignore
  const headers = { ...HEADERS, ...caching, ...more };
  if (isQuestion && isKnown(context.req.header("If-None-Match"), etag)) {
    return new Response(null, { status: 304, headers });
  }
  return new Response(text, { status, headers });
}

/** Answers with nothing. */
export function nothing(): Response {
  return new Response(null, { status: 204, headers: { "X-GitHub-Api-Version-Selected": API_VERSION } });
}

/** The forms of an answer that GitHub's media types name. */
const FORMS = ["raw", "diff", "patch", "sha"] as const;

/** Returns the form that a client takes; JSON where it names none. */
export function acceptedForm(context: Context<ApiEnv>): (typeof FORMS)[number] | "json" {
  const accepted = context.req.header("Accept") ?? "*/*";
  const [, form] = /\bapplication\/vnd\.github\.(?:[\w-]+\.)?(raw|diff|patch|sha)\b/.exec(accepted) ?? [];
  return FORMS.find((known) => known === form) ?? "json";
}

/** Answers with bytes in a form that a media type of GitHub's names. */
export function formed(body: ReadableStream | Uint8Array<ArrayBuffer> | string | null, form: string): Response {
  const type = form === "raw" ? "application/octet-stream" : `application/vnd.github.${form}; charset=utf-8`;
  return new Response(body, { headers: { "Content-Type": type, "X-GitHub-Api-Version-Selected": API_VERSION } });
}

/** A page that a client asks for, from 1. */
export type Page = { readonly number: number; readonly size: number };

function count(context: Context<ApiEnv>, name: string, usual: number): number {
  const text = context.req.query(name);
  return text === undefined || !/^\d{1,6}$/.test(text) || Number(text) < 1 ? usual : Number(text);
}

/** Returns the page that a client asks for. What is no number is passed over, as GitHub does. */
export function requestedPage(context: Context<ApiEnv>): Page {
  return { number: count(context, "page", 1), size: Math.min(MOST_PAGE, count(context, "per_page", USUAL_PAGE)) };
}

/** Returns the header that leads to other pages: `next` has what differs in the address of the next one, if there is one. */
export function linkHeader(
  context: Context<ApiEnv>,
  { number, size }: Page,
  next: Readonly<Record<string, string>> | undefined,
  last?: number,
): Record<string, string> {
  const links: string[] = [];
  const link = (rel: string, changed: Readonly<Record<string, string>>): void => {
    const url = new URL(context.req.url);
    // As text: names in the query need not be UTF-8.
    url.search = withQuery(url.search, { cursor: undefined, ...changed });
    links.push(`<${url.href}>; rel="${rel}"`);
  };
  if (number > 1 && last !== undefined) link("prev", { page: String(number - 1), per_page: String(size) });
  if (next !== undefined) link("next", { per_page: String(size), ...next });
  if (next !== undefined && last !== undefined) link("last", { page: String(last), per_page: String(size) });
  if (number > 1 && last !== undefined) link("first", { page: "1", per_page: String(size) });
  return links.length === 0 ? {} : { Link: links.join(", ") };
}

/** Returns the number of the first item of a page. */
export function firstOf({ number, size }: Page): number {
  return (number - 1) * size;
}

/** Answers with the items of a page of a list that has `total` items. */
export function answerPart(context: Context<ApiEnv>, page: Page, shown: readonly object[], total: number): Response {
  const next = firstOf(page) + page.size < total ? { page: String(page.number + 1) } : undefined;
  return answer(context, shown, 200, linkHeader(context, page, next, Math.max(1, Math.ceil(total / page.size))));
}

/** Answers with the page of a list that a client asks for. */
export async function answerPage<T>(
  context: Context<ApiEnv>,
  items: readonly T[],
  shape: (item: T) => Promise<object> | object,
): Promise<Response> {
  const page = requestedPage(context);
  const shown: object[] = [];
  for (const item of items.slice(firstOf(page), firstOf(page) + page.size)) shown.push(await shape(item));
  return answerPart(context, page, shown, items.length);
}
