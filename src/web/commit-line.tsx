/**
 * Commits as pages show them: in one line, in a list, and who made them when.
 *
 * @packageDocumentation
 */
import type { RepositoryName } from "../access/names.ts";
import type { BrowseSession } from "../browse/browse-session.ts";
import { readCutCommit } from "../browse/commit.ts";
import { toHex } from "../bytes/hex.ts";
import type { Commit } from "../object/commit.ts";
import type { Identity } from "../object/identity.ts";
import { escapeHtml } from "./html-filter.ts";
import { commitLink } from "./links.ts";
import { machineTime, shortOid, shownPerson, shownTime, splitMessage } from "./texts.ts";

/** The characters of a day in a time as it is shown. */
const DAY_CHARACTERS = 10;

/** A commit with its name in hexadecimal. */
export type NamedCommit = { readonly oid: string; readonly commit: Commit };

/** Reads a commit by its raw name. A message that was cut ends with a sign that says so. */
export async function namedCommit(session: BrowseSession, name: Uint8Array): Promise<NamedCommit> {
  const commit = await readCutCommit(session, name);
  return { oid: toHex(name), commit: commit.isMessageCut ? { ...commit, message: `${commit.message}…` } : commit };
}

/**
 * A time: its day, and when exactly. A script of the page says how long ago it was. The page itself does not, so that it
 * is the same for as long as its content is.
 */
export function When({ person }: { readonly person: Pick<Identity, "time" | "zone"> | undefined }) {
  if (person === undefined) return null;
  const { time, zone } = person;
  return (
    <time class="when" datetime={machineTime(time)} title={shownTime(time, zone)}>
      {shownTime(time, zone).slice(0, DAY_CHARACTERS)}
    </time>
  );
}

/** Writes the same as text, for rows of which there are many. */
export function whenHtml(person: Pick<Identity, "time" | "zone"> | undefined): string {
  if (person === undefined) return "";
  const machine = machineTime(person.time);
  const shown = shownTime(person.time, person.zone);
  const datetime = machine === undefined ? "" : ` datetime="${machine}"`;
  return `<time class="when"${datetime} title="${escapeHtml(shown)}">${escapeHtml(shown.slice(0, DAY_CHARACTERS))}</time>`;
}

/** A commit in one line. */
export function CommitLine({ name, named }: { readonly name: RepositoryName; readonly named: NamedCommit }) {
  const { oid, commit } = named;
  return (
    <p class="commit-line">
      <bdi class="who">{shownPerson(commit.author)}</bdi>{" "}
      <a class="subject" href={commitLink(name, oid)}>
        <bdi>{splitMessage(commit.message).subject}</bdi>
      </a>{" "}
      <a class="oid" href={commitLink(name, oid)}>
        <code>{shortOid(oid)}</code>
      </a>{" "}
      <When person={commit.committer} />
    </p>
  );
}
