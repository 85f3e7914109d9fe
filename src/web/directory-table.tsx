/**
 * The table of a directory: its entries, each with the commit that changed it last.
 *
 * @packageDocumentation
 */
import { raw } from "hono/html";
import type { Child } from "hono/jsx";
import type { DirectoryEntry } from "../browse/tree-at.ts";
import { toHex } from "../bytes/hex.ts";
import { isSymlink } from "../object/tree.ts";
import type { LastCommit } from "./begun-changes.ts";
import { whenHtml } from "./commit-line.tsx";
import { escapeHtml } from "./html-filter.ts";
import { commitLink, pathLink } from "./links.ts";
import type { RepositoryPage } from "./repository-request.ts";
import { shownBytes, shownSize } from "./texts.ts";

/** The steps of writing the row of an entry. */
const ROW_STEPS = 500;

/** A directory that is shown. */
export type Listing = {
  readonly revision: string;
  readonly path: string;
  /** Its entries in git's order, as far as they are shown. */
  readonly entries: readonly DirectoryEntry[];
  readonly hasMore: boolean;
};

const ICONS = { tree: "dir", blob: "file", commit: "module", tag: "file" } as const;

/** Writes the row of an entry, with the commit that changed it last, if it was found. */
function entryRow(
  { name }: RepositoryPage,
  { path: directory, revision }: Listing,
  { entry, size, changed }: KnownEntry,
): string {
  const path = directory === "" ? entry.name : `${directory}/${entry.name}`;
  const text = `<bdi>${escapeHtml(shownBytes(entry.name))}</bdi>`;
  const isTree = entry.type === "tree";
  const href = escapeHtml(pathLink(name, isTree ? "tree" : "blob", revision, path));
  const shown =
    entry.type === "commit"
      ? `${text} <span class="note">@ ${toHex(entry.oid).slice(0, 10)} (submodule)</span>`
      : `<a href="${href}">${text}${isTree ? "/" : ""}</a>`;
  const change =
    changed === undefined
      ? ""
      : `<a href="${escapeHtml(commitLink(name, changed.oid))}"><bdi>${escapeHtml(changed.subject)}</bdi></a>`;
  return (
    `<tr><td class="name ${isSymlink(entry.mode) ? "link" : ICONS[entry.type]}">${shown}</td>` +
    `<td class="change">${change}</td><td class="age">${whenHtml(changed?.committed)}</td>` +
    `<td class="size">${size === undefined ? "" : shownSize(size)}</td></tr>`
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

/** What is known of one of them. */
type KnownEntry = {
  readonly entry: DirectoryEntry;
  readonly size: number | undefined;
  readonly changed: LastCommit | undefined;
};

/** Writes the rows of entries, with pauses. There may be a thousand, so they are written as text: elements take ten times as long. */
export async function rowsOf(
  page: RepositoryPage,
  listing: Listing,
  { entries, sizes, changes }: Known,
): Promise<Child> {
  let rows = "";
  for (const [at, entry] of entries.entries()) {
    const changed = changes.get(entry.name);
    rows += entryRow(page, listing, { entry, size: sizes[at], changed });
    await page.session.work(ROW_STEPS);
  }
  return raw(rows);
}
