/**
 * What answers each page and each form. It is loaded when a page is first asked for: no clone and no push runs any of it.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { repositoryAction } from "./actions.ts";
import { activityPage } from "./activity-page.tsx";
import { adminPage } from "./admin-page.tsx";
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

import { failureAnswer } from "./page-answer.tsx";
import type { PageEnv } from "./page-host.ts";

/** Answers a request. */
export type PageHandler = (context: Context<PageEnv>) => Promise<Response> | Response;

/** The pages and forms, by name. */
const PAGES = {
  activityPage,
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
  goToTree: (context) => goPage(context, "tree"),
  goToActivity: (context) => goPage(context, "activity"),
  goToCommits: (context) => goPage(context, "commits"),
} as const satisfies Readonly<Record<string, PageHandler>>;

/** The names of all pages and forms. */
export type PageName = keyof typeof PAGES;

/** Answers with a page. Whatever it throws is answered with a page, too. */
export async function answerPage(name: PageName, context: Context<PageEnv>): Promise<Response> {
  try {
    return await PAGES[name](context);
  } catch (error) {
    return await failureAnswer(context, error);
  }
}
