/**
 * Commits by their names.
 *
 * @packageDocumentation
 */
import { type Commit, parseCommit } from "../object/commit.ts";
import type { Identity } from "../object/identity.ts";
import type { BrowseSession } from "./browse-session.ts";

/** Reads a commit, to be shown. `name` is raw. @throws MissingObject, CorruptStore, ObjectRejected */
export async function readCommit(session: BrowseSession, name: Uint8Array): Promise<Commit> {
  const { bytes } = await session.graph.reader.readCopy(name);
  return parseCommit(bytes, session.format);
}

/** Characters of a message that an answer shows: more than anybody writes. */
export const MOST_MESSAGE = 262_144;
/** Characters of a person's name, and of an address, that an answer shows. */
const MOST_NAME = 4096;
/** Parents of a commit that an answer shows. */
const MOST_PARENTS = 1000;

/** A commit of which what is too long for an answer was cut: `isCut` says whether something was, and `isMessageCut` whether the message was. */
export type CutCommit = Commit & { readonly isCut: boolean; readonly isMessageCut: boolean };

/** Returns a text of at most `most` characters, none of which is cut in two. */
export function cutText(text: string, most: number): string {
  if (text.length <= most) return text;
  const cut = text.slice(0, most);
  return cut.isWellFormed() ? cut : cut.slice(0, -1);
}

function cutPerson(person: Identity | undefined): Identity | undefined {
  if (person === undefined || Math.max(person.name.length, person.email.length) <= MOST_NAME) return person;
  return { ...person, name: cutText(person.name, MOST_NAME), email: cutText(person.email, MOST_NAME) };
}

/**
 * Reads a commit as an answer shows it: a few megabytes of text would be many times as many in JSON. `most` are the characters of its
 * message.
 *
 * @throws MissingObject, CorruptStore, ObjectRejected
 */
export async function readCutCommit(session: BrowseSession, name: Uint8Array, most = MOST_MESSAGE): Promise<CutCommit> {
  const whole = await readCommit(session, name);
  const message = cutText(whole.message, most);
  const [author, committer] = [cutPerson(whole.author), cutPerson(whole.committer)];
  const parents = whole.parents.slice(0, MOST_PARENTS);
  const isMessageCut = message.length < whole.message.length;
  const isCut =
    isMessageCut || parents.length < whole.parents.length || author !== whole.author || committer !== whole.committer;
  return { ...whole, message, author, committer, parents, isCut, isMessageCut };
}

/** Returns the raw name of the tree of a commit, which has a raw name, too. */
export async function treeOf({ graph }: BrowseSession, commit: Uint8Array): Promise<Uint8Array> {
  const node = graph.node(commit);
  await graph.loadCommit(node);
  return graph.nameOf(graph.commits.treeOf(node));
}
