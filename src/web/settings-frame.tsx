/**
 * The frame of the pages of a repository's settings, for those who administer it.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import type { Child } from "hono/jsx";
import { Problem } from "../http/problem.ts";
import { repositoryLink } from "./links.ts";
import { formTokenOf, pageAnswer } from "./page-answer.tsx";
import type { PageEnv } from "./page-host.ts";
import { crumbsOf, RepositoryFrame } from "./repository-frame.tsx";
import { type RepositoryPage, shownNames, withRepository } from "./repository-request.ts";

/** The pages of settings, below the repository, and what they are called. */
const SETTINGS_PAGES = {
  "/settings": "General",
  "/settings/rules": "Protected refs",
  "/settings/mirror": "Mirror",
  "/settings/keys": "Deploy keys",
  "/settings/lfs": "Git LFS",
  "/settings/maintenance": "Maintenance",
  "/reflog": "Who moved what",
} as const;

/** A page of settings. */
export type SettingsPath = keyof typeof SETTINGS_PAGES;

/** The parts that each section of a page of settings gets. */
export type Section = { readonly page: RepositoryPage; readonly token: string };

/** Returns the address of the settings, which takes their forms, too. */
export function settingsOf({ name }: RepositoryPage): string {
  return `${repositoryLink(name)}/settings`;
}

/** Returns the path of a repository in the API. */
export function apiPath({ name }: RepositoryPage): string {
  return `/repos${repositoryLink(name)}`;
}

/** Opens a page for those who administer the repository. @throws Problem */
export async function administered(
  context: Context<PageEnv>,
  work: (page: RepositoryPage) => Promise<Response>,
): Promise<Response> {
  return await withRepository(context, [], async (page) => {
    if (!page.mayAdminister) throw new Problem(403, "This is for those who administer the repository.");
    return await work(page);
  });
}

function SettingsTabs({ page, at }: { readonly page: RepositoryPage; readonly at: SettingsPath }) {
  const { tenant } = shownNames(page.name);
  return (
    <nav aria-label="Settings" class="bar">
      {Object.entries(SETTINGS_PAGES).map(([path, text]) => (
        <a href={repositoryLink(page.name) + path} aria-current={path === at ? "page" : undefined}>
          {text}
        </a>
      ))}
      <a href={`/${tenant}/-/tokens`}>Tokens</a>
      <a href={`/${tenant}/-/ssh-keys`}>SSH keys</a>
    </nav>
  );
}

/** Answers with a page of settings. `body` makes its sections. */
export async function settingsAnswer(
  context: Context<PageEnv>,
  page: RepositoryPage,
  { at, body }: { readonly at: SettingsPath; readonly body: (section: Section) => Child },
): Promise<Response> {
  const { tenant, repo } = shownNames(page.name);
  const name = at === "/settings" ? "Settings" : SETTINGS_PAGES[at];
  return await pageAnswer(context, {
    title: `${name} - ${tenant}/${repo}`,
    crumbs: crumbsOf(page),
    body: (
      <RepositoryFrame shown={page} tab="settings">
        <SettingsTabs page={page} at={at} />
        {body({ page, token: formTokenOf(context) })}
      </RepositoryFrame>
    ),
  });
}
