/**
 * Answers with a page, or with a page that says what went wrong.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { html } from "hono/html";
import type { Child } from "hono/jsx";
import { formToken, SIGNED_OUT } from "../http/page-cookie.ts";
import { problemOf } from "../http/problem.ts";
import { NOTHING_SHOWN } from "./api-json.ts";
import { Layout, type LayoutProps } from "./layout.tsx";
import type { PageEnv } from "./page-host.ts";
import { taggedAnswer } from "./tagged-answer.ts";
import { wantsJson } from "./twins.ts";

/**
 * Returns what a browser may do with a page. No script stands in a page itself, so nothing that a repository contains
 * can run, whatever a page makes of it: only the files of pages count as scripts and styles, not all that this host
 * serves. Images come from this host alone: an image elsewhere would tell its server who looks. The script asks this host for
 * names of branches and tags.
 */
function policyAt(origin: string): string {
  const files = `${origin}/-/assets/`;
  return (
    `default-src 'none'; style-src ${files}; script-src ${files}; img-src 'self'; media-src 'self'; ` +
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
  );
}

/** Returns the headers of every page. */
export function pageHeaders(context: Context<PageEnv>): Record<string, string> {
  return {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": policyAt(new URL(context.req.url).origin),
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    Vary: "Cookie, Authorization, Accept",
  };
}

/** The parts of a page that its route knows. */
export type Page = Omit<LayoutProps, "isSignedIn" | "formToken" | "here" | "children"> & {
  readonly body: Child;
  readonly status?: number;
  /** Whether the page shows only what everybody may see. */
  readonly isPublic?: boolean;
};

/** Returns the value that the forms of a page carry; "" for a visitor who has not signed in. */
export function formTokenOf(context: Context<PageEnv>): string {
  const { isSignedIn, secret } = context.var.page;
  return isSignedIn && secret !== undefined ? formToken(context.req.raw.headers, secret) : "";
}

/** Returns a page's HTML. */
export async function rendered(context: Context<PageEnv>, { body, ...page }: Page): Promise<string> {
  const { page: host } = context.var;
  const url = new URL(context.req.url);
  const element = (
    <Layout {...page} isSignedIn={host.isSignedIn} formToken={formTokenOf(context)} here={url.pathname + url.search}>
      {body}
    </Layout>
  );
  return String(await html`<!doctype html>${element}`);
}

/** Answers with a page. A shared cache may keep only what everybody may see. */
export async function pageAnswer(context: Context<PageEnv>, page: Page): Promise<Response> {
  const text = await rendered(context, page);
  const { status = 200, isPublic = false } = page;
  if (status !== 200) {
    const headers = { ...pageHeaders(context), "Cache-Control": "no-store" };
    return new Response(context.req.raw.method === "HEAD" ? null : text, { status, headers });
  }
  const isShared = isPublic && context.var.page.isAnonymous;
  const cacheControl = `${isShared ? "public" : "private"}, no-cache`;
  return taggedAnswer(context, text, { ...pageHeaders(context), "Cache-Control": cacheControl });
}

const SESSION_ENDED = "Your token is not in force any more, so you have been signed out. Load the page again.";
const TITLES: Readonly<Record<number, string>> = {
  400: "The request was not understood",
  403: "This is not for you",
  404: "There is nothing here",
  409: "This is in conflict with something else",
  413: "This is too large to be shown",
  422: "This can't be shown",
  429: "Too many requests",
  500: "Something went wrong on our side",
  503: "The host is busy",
};

/** Answers with a page about an error. */
export async function errorAnswer(context: Context<PageEnv>, status: number, detail: string): Promise<Response> {
  const title = TITLES[status] ?? "Something went wrong"; // Other statuses are rare.
  const { isSignedIn, secret } = context.var.page;
  const mayHelp = status === 404 && !isSignedIn && secret !== undefined;
  const { pathname, search } = new URL(context.req.url);
  return await pageAnswer(context, {
    title,
    status,
    body: (
      <section class="notice">
        <h1>{title}</h1>
        <p>{detail}</p>
        {mayHelp ? (
          <p>
            If it is private, <a href={`/-/login?to=${encodeURIComponent(pathname + search)}`}>sign in</a> to see it.
          </p>
        ) : null}
        <p>
          <a href="/">Go to the front page</a>
        </p>
      </section>
    ),
  });
}

function hiddenDetail(isSignedIn: boolean, detail: string): string {
  if (isSignedIn) return SESSION_ENDED;
  return detail === NOTHING_SHOWN ? detail : "There is no such repository.";
}

/**
 * Answers for an error with a page about it. A missing repository and one that the visitor may not see are answered
 * alike, and no password is asked for: people sign in on a page. A program that asks for JSON gets the API's problem.
 */
export async function failureAnswer(context: Context<PageEnv>, error: unknown): Promise<Response> {
  const problem = problemOf(error);
  const location = problem.headers.get("Location");
  if (location !== null) return new Response(null, { status: problem.status, headers: { Location: location } });
  if (wantsJson(context.req.raw)) return problem;
  const { detail } = await problem.json<{ readonly detail: string }>();
  const isHidden = problem.status === 401;
  const answer = await errorAnswer(
    context,
    isHidden ? 404 : problem.status,
    isHidden ? hiddenDetail(context.var.page.isSignedIn, detail) : detail,
  );
  // The token of the session is not in force any more: the visitor is a stranger again.
  if (isHidden && context.var.page.isSignedIn) answer.headers.set("Set-Cookie", SIGNED_OUT);
  const retry = problem.headers.get("Retry-After");
  if (retry !== null) answer.headers.set("Retry-After", retry);
  return answer;
}
