/**
 * Doors of a game that are asked in another way than with a token, or for what is stored: by a browser's cookie, over a WebSocket, and for
 * packs by their addresses.
 *
 * @packageDocumentation
 */
import { expect } from "vitest";
import type { Answered, Asked } from "./asked.ts";
import type { Door, Place } from "./doors.ts";
import { fileOf } from "./object-pool.ts";
import { NOTES_REF } from "./world.ts";

const API = "/api/v1/repos/PATH";

const byCookie = (path: string): Asked => ({ method: "GET", path, byCookie: true });

const givesReached = ({ status }: Answered, { world, repository, subject }: Place): void => {
  expect(status).toBe(world.reached(repository).has(subject.commit.oid) ? 200 : 404);
};

/** Pages for somebody who has signed in. */
const SIGNED_IN: readonly Door[] = [
  { name: "front page, signed in", ask: () => byCookie("/PATH") },
  {
    name: "page of a commit, signed in",
    ask: ({ commit }) => byCookie(`/PATH/commit/${commit.oid}`),
    expects: givesReached,
  },
  {
    name: "page of a file, signed in",
    ask: ({ commit }) => byCookie(`/PATH/blob/${commit.oid}/${fileOf(commit.word)}`),
    expects: givesReached,
  },
  { name: "branches, signed in", ask: () => byCookie("/PATH/branches") },
  { name: "page of a search, signed in", ask: ({ branch }) => byCookie(`/PATH/search?q=this+file&rev=${branch}`) },
  { name: "page of settings, signed in", ask: () => byCookie("/PATH/settings"), isForOwners: true },
];

/** What takes no cookie: whoever sends one is nobody there. */
const COOKIELESS: readonly Door[] = [
  { name: "settings, with a cookie alone", ask: () => byCookie(API), takesNoCookie: true },
  {
    name: "branches of the facade, with a cookie alone",
    ask: () => byCookie("/api/v3/repos/PATH/branches"),
    takesNoCookie: true,
  },
  {
    name: "advertisement, with a cookie alone",
    ask: () => byCookie("/PATH.git/info/refs?service=git-upload-pack"),
    takesNoCookie: true,
  },
];

const STORED: readonly Door[] = [
  {
    name: "a pack by its address",
    ask: ({ pack }) => ({ method: "GET", path: `/PATH.git/objects/pack/pack-${pack}.pack` }),
  },
  {
    name: "an index by its address",
    ask: ({ pack }) => ({ method: "GET", path: `/PATH.git/objects/pack/pack-${pack}.idx` }),
  },
  {
    name: "a pack as a bundle, by its address",
    ask: ({ pack }) => ({ method: "GET", path: `/PATH.git/bundles/${pack}.bundle` }),
  },
];

const EVENTS: readonly Door[] = [
  {
    name: "events over a WebSocket",
    ask: () => ({ method: "GET", path: `${API}/events?since=0`, isSocket: true }),
    expects: ({ status }) => expect(status).toBe(101),
    givesLog: true,
  },
];

/** As a mirror was: only what it showed then comes out. */
const PAST: readonly Door[] = [
  {
    name: "advertisement of a moment",
    ask: ({ seconds }) => ({ method: "GET", path: `/PATH@${seconds}.git/info/refs?service=git-upload-pack` }),
    givesPast: true,
  },
  {
    name: "refs of a moment",
    ask: ({ seconds }) => ({ method: "GET", path: `${API}/refs?at=${seconds}` }),
    givesPast: true,
  },
  { name: "the mirror's hook", ask: () => ({ method: "POST", path: `${API}/mirror/hook`, body: "{}" }) },
];

const NOTES: readonly Door[] = [
  {
    name: "the note on a commit",
    ask: ({ commit }) => ({ method: "GET", path: `${API}/notes/${commit.oid}` }),
    expects: ({ status }, { world, repository, subject }) => {
      const notes = world.notesAt(repository.refs.get(NOTES_REF));
      const isShown = world.reached(repository).has(subject.commit.oid) && notes.has(subject.commit.oid);
      expect(status).toBe(isShown ? 200 : 404);
    },
  },
];

/** The doors. */
export const MORE_DOORS: readonly Door[] = [...SIGNED_IN, ...COOKIELESS, ...STORED, ...EVENTS, ...PAST, ...NOTES];
