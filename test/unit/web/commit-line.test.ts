/** Commits as pages show them. */
import { expect, it } from "vitest";
import { BrowseSession } from "../../../src/browse/browse-session.ts";
import { MOST_MESSAGE } from "../../../src/browse/commit.ts";
import { namedCommit } from "../../../src/web/commit-line.tsx";
import { buildPack, objectId } from "../../support/git-raw.ts";
import { rawName, TestStore } from "../../support/store.ts";

/** Returns the message of a commit as pages show it. */
async function shownMessage(name: string, message: string): Promise<string> {
  const tree = objectId("tree", "");
  const person = `${name} <a@example.com> 1700000000 +0000`;
  const commit = `tree ${tree}\nauthor ${person}\ncommitter ${person}\n\n${message}`;
  const tip = objectId("commit", commit);
  const store = new TestStore();
  const pack = buildPack([
    { type: "tree", content: "" },
    { type: "commit", content: commit },
  ]);
  store.packs = [{ ...(await store.push(pack, [tip])), marked: true }];
  const session = await BrowseSession.open(store.repository(), store.answer(new Uint8Array(0)));
  try {
    return (await namedCommit(session, rawName(tip))).commit.message;
  } finally {
    session.close();
  }
}

it("a message that was cut ends with a sign, and one beside a name that was cut does not", async () => {
  expect(await shownMessage("A", "whole\n")).toBe("whole\n");
  expect(await shownMessage("n".repeat(5000), "whole\n")).toBe("whole\n");
  expect(await shownMessage("A", "x".repeat(MOST_MESSAGE + 1))).toBe(`${"x".repeat(MOST_MESSAGE)}…`);
});
