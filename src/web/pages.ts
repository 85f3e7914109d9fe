/**
 * What answers each page and each form. It is loaded when a page is first asked for: no clone and no push runs any of it.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { repositoryAction } from "./actions.ts";
import { activityPage } from "./activity-page.tsx";
import { adminAction } from "./dead-letters.tsx";
import { adminPage } from "./admin-page.tsx";
import { archivePage } from "./archive-page.ts";
import { blamePage } from "./blame-page.tsx";
import { blobPage } from "./blob-page.tsx";
import { commitPage } from "./commit-page.tsx";
import { commitsPage } from "./commits-page.tsx";
import { comparePage } from "./compare-page.tsx";
import { commitsFeed, tagsFeed } from "./feeds.ts";
import { goPage } from "./go-page.ts";
import { homePage, publicPage, tenantPage } from "./home-page.tsx";
import { login, loginPage, logout } from "./login-page.tsx";
import { lfsPage } from "./lfs-page.tsx";
import { maintenancePage } from "./maintenance-page.tsx";
import { mirrorPage } from "./mirror-page.tsx";
import { rawPage } from "./raw-page.ts";
import { branchesPage, tagsPage } from "./refs-page.tsx";
import { rulesPage } from "./rules-page.tsx";
import { searchPage } from "./search-page.tsx";
import { reflogPage, settingsPage } from "./settings-page.tsx";
import { deployKeysPage, sshKeysAction, sshKeysPage } from "./ssh-keys-page.tsx";
import { tokensAction, tokensPage } from "./tokens-page.tsx";
import { frontPage, treePage } from "./tree-page.tsx";

import { Problem, problemOf } from "../http/problem.ts";
import { failureAnswer } from "./page-answer.tsx";
import { asMarkdown, jsonTwin, pageOfJson, wantsJson, wantsMarkdown } from "./twins.ts";
import type { PageEnv } from "./page-host.ts";

/** Answers a request. */
export type PageHandler = (context: Context<PageEnv>) => Promise<Response> | Response;

/** The pages and forms, by name. */
const PAGES = {
  activityPage,
  adminAction,
  adminPage,
  archivePage,
  blamePage,
  blobPage,
  branchesPage,
  commitPage,
  commitsFeed,
  commitsPage,
  comparePage,
  frontPage,
  homePage,
  lfsPage,
  login,
  loginPage,
  logout,
  maintenancePage,
  mirrorPage,
  publicPage,
  rawPage,
  rulesPage,
  searchPage,
  reflogPage,
  repositoryAction,
  settingsPage,
  tagsFeed,
  tagsPage,
  tenantPage,
  deployKeysPage,
  sshKeysAction,
  sshKeysPage,
  tokensAction,
  tokensPage,
  treePage,
  // The address ends in `.json`, and no page has the whole of it.
  jsonPage: () => {
    throw new Problem(404, "There is nothing here.");
  },
  goToTree: (context) => goPage(context, "tree"),
  goToActivity: (context) => goPage(context, "activity"),
  goToCommits: (context) => goPage(context, "commits"),
} as const satisfies Readonly<Record<string, PageHandler>>;

/** The names of all pages and forms. */
export type PageName = keyof typeof PAGES;

/** Answers with a page, or with its twin for a machine. Whatever it throws is answered with a page, too. */
export async function answerPage(name: PageName, context: Context<PageEnv>): Promise<Response> {
  const { raw } = context.req;
  const isMarkdown = raw.method !== "POST" && wantsMarkdown(raw);
  const answer = await answered(name, context);
  return isMarkdown ? asMarkdown(answer) : answer;
}

async function answered(name: PageName, context: Context<PageEnv>): Promise<Response> {
  const { raw } = context.req;
  const page = raw.method === "POST" ? undefined : pageOfJson(raw.url);
  try {
    const answer = await ownAnswer(name, context);
    if (page === undefined || !MISSING.includes(answer.status)) return answer;
  } catch (error) {
    if (page === undefined || !MISSING.includes(problemOf(error).status)) return await failureAnswer(context, error);
  }
  return await context.var.page.page(page, { method: raw.method, headers: JSON_ONLY });
}

async function ownAnswer(name: PageName, context: Context<PageEnv>): Promise<Response> {
  const { raw } = context.req;
  const twin = raw.method !== "POST" && wantsJson(raw) ? await jsonTwin(name, context) : undefined;
  return twin ?? (await PAGES[name](context));
}

const JSON_ONLY = { Accept: "application/json" } as const;
/** Says that there is nothing at an address, nothing that the visitor may see, or no revision that could be there. */
const MISSING: readonly number[] = [401, 404, 422];
