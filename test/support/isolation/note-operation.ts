/**
 * Notes on commits, in a game: the host makes objects for them that the model makes anew from what the API tells.
 *
 * @packageDocumentation
 * @see git-notes(1)
 */
import { expect } from "vitest";
import { apiClient } from "../api-client.ts";
import { objectId, treeOf } from "../git-raw.ts";
import type { Game, NamedOperation } from "./game.ts";
import { NOTES_REF } from "./world.ts";

type Person = { readonly name: string; readonly email: string; readonly time: number };
type Shown = { readonly author: Person; readonly committer: Person };

async function addNote(game: Game): Promise<string> {
  const { random, world, pool, base } = game;
  const path = game.anyPath();
  const found = world.repositories.get(path);
  const reached = found === undefined ? [] : [...world.reached(found)].filter((oid) => pool.commits.has(oid));
  if (found === undefined || reached.length === 0) return "nothing there";
  const person = game.somebody(path, "write");
  const may = world.mayWrite(person, path);
  const object = random.pick(reached);
  const before = found.refs.get(NOTES_REF);
  const notes = new Map(world.notesAt(before));
  const word = pool.nextWord();
  const answer = await game.change(person, path, may, {
    method: "PUT",
    path: `/api/v1/repos/PATH/notes/${object}`,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ note: word }),
  });
  const line = `${person.name} ${path} ${object} ${word} -> ${answer.status}`;
  if (answer.status !== 201) {
    expect(may && !notes.has(object), `refused: ${line}`).toBe(false);
    return line;
  }
  expect(may && !notes.has(object), `taken: ${line}`).toBe(true);
  const { commit } = JSON.parse(answer.body.toString()) as { commit: string };
  const shown = await apiClient(base, "test-token")("GET", `/repos/${path}/commits/${commit}`);
  const { author, committer } = shown.body as unknown as Shown;
  const blob = pool.add("blob", `${word}\n`, [], word);
  notes.set(object, blob);
  const rows = [...notes].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const tree = pool.add(
    "tree",
    treeOf(...rows.map(([name, oid]): [string, string, string] => ["100644", name, oid])),
    rows.map(([, oid]) => oid),
  );
  const of = ({ name, email, time }: Person): string => `${name} <${email}> ${time} +0000`;
  const parent = before === undefined ? "" : `parent ${before}\n`;
  const text = `tree ${tree}\n${parent}author ${of(author)}\ncommitter ${of(committer)}\n\nNotes added by 'git notes add'\n`;
  // The model has what the host made, to the byte.
  expect(objectId("commit", text), `made: ${line}`).toBe(commit);
  pool.add("commit", text, [tree, ...(before === undefined ? [] : [before])]);
  world.setNotes(commit, notes);
  world.move(found, NOTES_REF, commit);
  return line;
}

/** The operations. */
export const NOTE_OPERATIONS: readonly NamedOperation[] = [
  ["add a note", addNote],
  ["add a note", addNote],
];
