/**
 * The table of a directory: its entries, each with the commit that changed it last.
 *
 * @packageDocumentation
 */
import { raw } from "hono/html";
import type { Child } from "hono/jsx";
import type { DirectoryEntry } from "../browse/tree-at.ts";
import { toHex } from "../bytes/hex.ts";
import type { LastCommit } from "./begun-changes.ts";
import { When } from "./commit-line.tsx";
import { htmlOf } from "./content-page.tsx";
import { commitLink, pathLink } from "./links.ts";
import type { RepositoryPage } from "./repository-request.ts";
import { shownBytes, shownSize } from "./texts.ts";

/** The steps of rendering the row of an entry. */
const ROW_STEPS = 4000;

/** A directory that is shown. */
export type Listing = {
  readonly revision: string;
  readonly path: string;
  /** Its entries in git's order, as far as they are shown. */
  readonly entries: readonly DirectoryEntry[];
  readonly hasMore: boolean;
};

const ICONS = { tree: "dir", blob: "file", commit: "module", tag: "file" } as const;

function EntryRow({
  page,
  at,
  entry,
  size,
  changed,
}: {
  readonly page: RepositoryPage;
  readonly at: Listing;
  readonly entry: DirectoryEntry;
  readonly size: number | undefined;
  /** The commit that changed it last, if it was found. */
  readonly changed: LastCommit | undefined;
}) {
  const path = at.path === "" ? entry.name : `${at.path}/${entry.name}`;
  const text = shownBytes(entry.name);
  const isLink = (entry.mode & 0o170000) === 0o120000;
  const word = entry.type === "tree" ? "tree" : "blob";
  return (
    <tr>
      <td class={`name ${isLink ? "link" : ICONS[entry.type]}`}>
        {entry.type === "commit" ? (
          <>
            <bdi>{text}</bdi> <span class="note">@ {toHex(entry.oid).slice(0, 10)} (submodule)</span>
          </>
        ) : (
          <a href={pathLink(page.name, word, at.revision, path)}>
            <bdi>{text}</bdi>
            {entry.type === "tree" ? "/" : ""}
          </a>
        )}
      </td>
      <td class="change">
        {changed === undefined ? null : (
          <a href={commitLink(page.name, changed.oid)}>
            <bdi>{changed.subject}</bdi>
          </a>
        )}
      </td>
      <td class="age">{changed === undefined ? null : <When person={changed.committed} />}</td>
      <td class="size">{size === undefined ? "" : shownSize(size)}</td>
    </tr>
  );
}

/** The table, with its rows as {@link rowsOf} has made them. */
export function Entries({
  page,
  listing,
  rows,
}: {
  readonly page: RepositoryPage;
  readonly listing: Listing;
  readonly rows: Child;
}) {
  const { path, revision } = listing;
  const up = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
  return (
    <table class="files">
      <caption class="hidden">Files</caption>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col" class="change">
            Last change
          </th>
          <th scope="col" class="age">
            When
          </th>
          <th scope="col" class="size">
            Size
          </th>
        </tr>
      </thead>
      <tbody>
        {path === "" ? null : (
          <tr>
            <td class="name dir" colspan={4}>
              <a href={pathLink(page.name, "tree", revision, up)} aria-label="The directory above">
                ..
              </a>
            </td>
          </tr>
        )}
        {rows}
      </tbody>
    </table>
  );
}

/** Returns entries with the directories first, as people look for them there. */
export function directoriesFirst(entries: readonly DirectoryEntry[]): readonly DirectoryEntry[] {
  const isDirectory = ({ type }: DirectoryEntry): boolean => type === "tree";
  return [...entries.filter(isDirectory), ...entries.filter((entry) => !isDirectory(entry))];
}

/** What is known of entries, in the order in which they are shown. */
export type Known = {
  readonly entries: readonly DirectoryEntry[];
  readonly sizes: readonly (number | undefined)[];
  /** The commits that changed entries last, by their names, as far as they were found. */
  readonly changes: ReadonlyMap<string, LastCommit>;
};

/** Renders the rows of entries, with pauses: a thousand of them take longer than others should wait. */
export async function rowsOf(
  page: RepositoryPage,
  listing: Listing,
  { entries, sizes, changes }: Known,
): Promise<Child> {
  let rows = "";
  for (const [at, entry] of entries.entries()) {
    const changed = changes.get(entry.name);
    rows += await htmlOf(<EntryRow page={page} at={listing} entry={entry} size={sizes[at]} changed={changed} />);
    await page.session.work(ROW_STEPS);
  }
  return raw(rows);
}
