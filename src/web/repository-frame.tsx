/**
 * The frame of a repository's pages: its name, what it is, and the ways to its parts.
 *
 * @packageDocumentation
 */
import type { Child } from "hono/jsx";
import { percentEncoded } from "../http/content-address.ts";
import { pathLink, repositoryLink } from "./links.ts";
import { defaultBranch, type ShownRepository, shownNames } from "./repository-request.ts";
import { shownBytes } from "./texts.ts";
import type { Crumb } from "./layout.tsx";

/** The parts of a repository that tabs lead to. */
export type Tab = "files" | "commits" | "branches" | "tags" | "search" | "settings";

/** The way to a page of a repository. `path` has one character per byte. */
export function crumbsOf(
  { name }: ShownRepository,
  at?: { readonly revision: string; readonly path: string },
): Crumb[] {
  const { tenant, repo } = shownNames(name);
  const crumbs: Crumb[] = [
    { text: tenant, href: `/${tenant}` },
    { text: repo, href: repositoryLink(name) },
  ];
  if (at === undefined || at.path === "") return crumbs;
  const parts = at.path.split("/");
  parts.forEach((part, i) => {
    const href = pathLink(name, "tree", at.revision, parts.slice(0, i + 1).join("/"));
    crumbs.push({ text: shownBytes(part), href });
  });
  return crumbs;
}

function Tabs({
  shown,
  tab,
  revision,
}: {
  readonly shown: ShownRepository;
  readonly tab: Tab;
  readonly revision: string;
}) {
  const { name, mayAdminister } = shown;
  const base = repositoryLink(name);
  const links: readonly (readonly [Tab, string, string])[] = [
    ["files", "Files", revision === "HEAD" ? base : pathLink(name, "tree", revision)],
    ["commits", "Commits", pathLink(name, "commits", revision)],
    ["branches", "Branches", `${base}/branches`],
    ["tags", "Tags", `${base}/tags`],
    ["search", "Search", revision === "HEAD" ? `${base}/search` : `${base}/search?rev=${percentEncoded(revision)}`],
    ...(mayAdminister ? ([["settings", "Settings", `${base}/settings`]] as const) : []),
  ];
  return (
    <nav aria-label="Repository" class="tabs">
      <ul>
        {links.map(([key, text, href]) => (
          <li>
            <a href={href} aria-current={key === tab ? "page" : undefined}>
              {text}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** The frame. `revision` (one character per byte) is that which the tabs lead to. */
export function RepositoryFrame({
  shown,
  tab,
  revision = "HEAD",
  children,
}: {
  readonly shown: ShownRepository;
  readonly tab: Tab;
  readonly revision?: string;
  readonly children?: Child;
}) {
  const { record } = shown;
  const { repo } = shownNames(shown.name);
  return (
    <>
      <div class="repository">
        <h1>
          <a href={repositoryLink(shown.name)}>
            <bdi>{repo}</bdi>
          </a>{" "}
          <span class="label">{record.visibility}</span>
          {record.mirror === undefined ? null : <span class="label">mirror</span>}
        </h1>
        {record.description === "" ? null : (
          <p class="about">
            <bdi>{record.description}</bdi>
          </p>
        )}
        {record.mirror === undefined ? null : (
          <p class="about">
            A read-only mirror
            {shown.showsUpstream ? (
              <>
                {" "}
                of <bdi>{record.mirror.upstream}</bdi>
              </>
            ) : null}
            {record.mirror.syncedAt === undefined
              ? ", not in step yet."
              : `, in step as of ${new Date(record.mirror.syncedAt).toISOString().slice(0, 16).replace("T", " ")} UTC.`}
          </p>
        )}
      </div>
      <Tabs shown={shown} tab={tab} revision={revision} />
      {children}
    </>
  );
}

/**
 * A form that leads to another revision of the same page, and links to lists of branches and tags that lead there, too; it needs no
 * script.
 */
export function RevisionForm({
  shown,
  word,
  revision,
  path,
}: {
  readonly shown: ShownRepository;
  readonly word: "tree" | "commits" | "activity";
  readonly revision: string;
  readonly path: string;
}) {
  const label = revision === "HEAD" ? defaultBranch(shown.record) : revision;
  const query = `?to=${word}${path === "" ? "" : `&path=${percentEncoded(percentEncoded(path))}`}`;
  return (
    <form class="revision" method="get" action={`${repositoryLink(shown.name)}/${word}`}>
      <label>
        <span class="hidden">Branch, tag or commit</span>
        <input name="go" value={shownBytes(label)} spellcheck={false} autocomplete="off" size={18} />
      </label>
      {path === "" ? null : <input type="hidden" name="path" value={percentEncoded(path)} />}
      <button>Go</button>{" "}
      <span class="choices">
        <a href={`${repositoryLink(shown.name)}/branches${query}`} rel="nofollow">
          Branches
        </a>{" "}
        <a href={`${repositoryLink(shown.name)}/tags${query}`} rel="nofollow">
          Tags
        </a>
      </span>
    </form>
  );
}
