/**
 * The pages: what people see who open an address of this host in a browser.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import { repositoryAction } from "./actions.ts";
import { archivePage } from "./archive-page.ts";
import { blamePage } from "./blame-page.tsx";
import { blobPage } from "./blob-page.tsx";
import { commitPage } from "./commit-page.tsx";
import { commitsPage } from "./commits-page.tsx";
import { comparePage } from "./compare-page.tsx";
import { commitsFeed, tagsFeed } from "./feeds.ts";
import { goPage } from "./go-page.ts";
import { homePage, tenantPage } from "./home-page.tsx";
import { login, loginPage, logout } from "./login-page.tsx";
import { failureAnswer } from "./page-answer.tsx";
import type { PageEnv } from "./page-host.ts";
import { rawPage } from "./raw-page.ts";
import { branchesPage, tagsPage } from "./refs-page.tsx";
import { searchPage } from "./search-page.tsx";
import { reflogPage, settingsPage } from "./settings-page.tsx";
import { tokensAction, tokensPage } from "./tokens-page.tsx";
import { frontPage, treePage } from "./tree-page.tsx";

type Handler = (context: Context<PageEnv>) => Promise<Response> | Response;

/** The pages of the host, and of a tenant. */
const HOST_PAGES: Readonly<Record<string, Handler>> = {
  "/": homePage,
  "/-/login": loginPage,
  "/:tenant": tenantPage,
  "/:tenant/-/tokens": tokensPage,
};

/** The pages of a repository, below `/:tenant/:repo`. */
const REPOSITORY_PAGES: Readonly<Record<string, Handler>> = {
  "": frontPage,
  "/tree": (context) => goPage(context, "tree"),
  "/tree/:rev_and_path{[^]+}": treePage,
  "/blob/:rev_and_path{[^]+}": blobPage,
  "/raw/:rev_and_path{[^]+}": rawPage,
  "/blame/:rev_and_path{[^]+}": blamePage,
  "/commits": (context) => goPage(context, "commits"),
  "/commits/:rev_and_path{[^]+}": commitsPage,
  "/commit/:rev{[^]+}": commitPage,
  "/compare/:revs{[^]+}": comparePage,
  "/archive/:file{[^]+}": archivePage,
  "/branches": branchesPage,
  "/tags": tagsPage,
  "/search": searchPage,
  "/settings": settingsPage,
  "/reflog": reflogPage,
  "/feed/commits": commitsFeed,
  "/feed/tags": tagsFeed,
};

/** What forms send. */
const FORMS: Readonly<Record<string, Handler>> = {
  "/-/login": login,
  "/-/logout": logout,
  "/:tenant/-/tokens": tokensAction,
  "/:tenant/:repo/settings": repositoryAction,
};

/** Runs a handler. Whatever it throws is answered with a page. */
function answering(handler: Handler): Handler {
  return async (context) => {
    try {
      return await handler(context);
    } catch (error) {
      return await failureAnswer(context, error);
    }
  };
}

/** The routes of pages. Other methods are left to the next handler. */
export function pageRoutes(): Hono<PageEnv> {
  const routes = new Hono<PageEnv>();
  for (const [path, handler] of Object.entries(HOST_PAGES)) routes.get(path, answering(handler));
  for (const [path, handler] of Object.entries(REPOSITORY_PAGES)) {
    routes.get(`/:tenant/:repo${path}`, answering(handler));
  }
  for (const [path, handler] of Object.entries(FORMS)) routes.post(path, answering(handler));
  return routes;
}
