/**
 * The pages: what people see who open an address of this host in a browser.
 *
 * @packageDocumentation
 */
import { type Handler, Hono } from "hono";
import type { PageEnv } from "./page-host.ts";
import type { PageName } from "./pages.ts";

/** The pages of the host, and of a tenant. */
const HOST_PAGES: Readonly<Record<string, PageName>> = {
  "/": "homePage",
  "/-/login": "loginPage",
  "/-/admin": "adminPage",
  "/-/public": "publicPage",
  "/:tenant": "tenantPage",
  "/:tenant/-/tokens": "tokensPage",
  "/:tenant/-/ssh-keys": "sshKeysPage",
};

/** The pages of a repository, below `/:tenant/:repo`. */
const REPOSITORY_PAGES: Readonly<Record<string, PageName>> = {
  "": "frontPage",
  "/tree": "goToTree",
  "/tree/:rev_and_path{[^]+}": "treePage",
  "/blob/:rev_and_path{[^]+}": "blobPage",
  "/raw/:rev_and_path{[^]+}": "rawPage",
  "/blame/:rev_and_path{[^]+}": "blamePage",
  "/commits": "goToCommits",
  "/commits/:rev_and_path{[^]+}": "commitsPage",
  "/activity": "goToActivity",
  "/activity/:rev_and_path{[^]+}": "activityPage",
  "/commit/:rev{[^]+}": "commitPage",
  "/compare/:revs{[^]+}": "comparePage",
  "/archive/:file{[^]+}": "archivePage",
  "/branches": "branchesPage",
  "/tags": "tagsPage",
  "/search": "searchPage",
  "/settings": "settingsPage",
  "/settings/rules": "rulesPage",
  "/settings/mirror": "mirrorPage",
  "/settings/keys": "deployKeysPage",
  "/settings/lfs": "lfsPage",
  "/settings/maintenance": "maintenancePage",
  "/reflog": "reflogPage",
  "/feed/commits": "commitsFeed",
  "/feed/tags": "tagsFeed",
};

/** What forms send. */
const FORMS: Readonly<Record<string, PageName>> = {
  "/-/login": "login",
  "/-/logout": "logout",
  "/-/admin": "adminAction",
  "/:tenant/-/tokens": "tokensAction",
  "/:tenant/-/ssh-keys": "sshKeysAction",
  "/:tenant/:repo/settings": "repositoryAction",
};

/** Returns what answers with a page. The module of all pages is loaded when the first is asked for. */
function answering(name: PageName): Handler<PageEnv> {
  return async (context) => {
    const { answerPage } = await import("./pages.ts");
    return await answerPage(name, context);
  };
}

/** The routes of pages. Other methods are left to the next handler. */
export function pageRoutes(): Hono<PageEnv> {
  const routes = new Hono<PageEnv>();
  for (const [path, name] of Object.entries(HOST_PAGES)) routes.get(path, answering(name));
  for (const [path, name] of Object.entries(REPOSITORY_PAGES)) {
    routes.get(`/:tenant/:repo${path}`, answering(name));
  }
  // The other pages have a part of the address that may end in this itself.
  const fixed = [...Object.keys(HOST_PAGES), ...Object.keys(REPOSITORY_PAGES).map((path) => `/:tenant/:repo${path}`)];
  for (const path of fixed.filter((each) => /[a-z-]$/.test(each) && !/:[a-z]+$/.test(each)))
    routes.get(`${path}.json`, answering("jsonPage"));
  for (const [path, name] of Object.entries(FORMS)) routes.post(path, answering(name));
  return routes;
}
