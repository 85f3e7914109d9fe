/**
 * The frame of every page: its head, the way back up, and who is signed in.
 *
 * @packageDocumentation
 */
import type { Child } from "hono/jsx";
import { ActionForm } from "./action-form.tsx";

/** A step of the way from the front page to this one. */
export type Crumb = { readonly text: string; readonly href?: string };

/** A feed, or the same thing for a machine, that the page's head names. */
export type Alternate = { readonly type: string; readonly href: string; readonly title?: string };

/** The parts of a page. */
export type LayoutProps = {
  readonly title: string;
  readonly crumbs?: readonly Crumb[];
  readonly alternates?: readonly Alternate[];
  readonly isSignedIn: boolean;
  /** What the form that signs out carries. */
  readonly formToken: string;
  /** The address to come back to after signing in. */
  readonly here: string;
  /** A description for search engines and previews of links. */
  readonly description?: string;
  readonly children?: Child;
};

function Crumbs({ crumbs }: { readonly crumbs: readonly Crumb[] }) {
  return (
    <nav aria-label="Breadcrumb" class="crumbs">
      <ol>
        {crumbs.map(({ text, href }, at) => (
          <li>
            {href === undefined || at === crumbs.length - 1 ? (
              <bdi aria-current={at === crumbs.length - 1 ? "page" : undefined}>{text}</bdi>
            ) : (
              <a href={href}>
                <bdi>{text}</bdi>
              </a>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}

/** A whole page. */
export function Layout({ title, crumbs = [], alternates = [], children, ...rest }: LayoutProps) {
  const { isSignedIn, formToken, here, description } = rest;
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="same-origin" />
        {description === undefined || description === "" ? null : <meta name="description" content={description} />}
        <title>{title}</title>
        <link rel="stylesheet" href="/-/assets/pages.css" />
        <link rel="icon" href="/-/assets/icon.svg" type="image/svg+xml" />
        {alternates.map((each) => (
          <link rel="alternate" type={each.type} href={each.href} title={each.title} />
        ))}
        <script src="/-/assets/pages.js" defer></script>
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to the content
        </a>
        <header class="top">
          <a class="brand" href="/">
            thinpack
          </a>
          <Crumbs crumbs={crumbs} />
          <div class="session">
            {isSignedIn ? (
              <ActionForm to="/-/logout" token={formToken}>
                <button class="plain">Sign out</button>
              </ActionForm>
            ) : (
              <a href={`/-/login?to=${encodeURIComponent(here)}`}>Sign in</a>
            )}
          </div>
        </header>
        <main id="main">{children}</main>
        <footer>
          <p>
            Served by thinpack. Everything here is in the <a href="/api/v1/docs">API</a>, too.
          </p>
        </footer>
      </body>
    </html>
  );
}
