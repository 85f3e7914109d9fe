import { expect, it } from "vitest";
import { type Action, decide, type Decision, type Subject } from "../../../src/access/decide.ts";
import type { Principal } from "../../../src/access/principal.ts";

const REPOSITORIES = {
  missing: undefined,
  private: { visibility: "private", readOnly: false },
  public: { visibility: "public", readOnly: false },
  "public, read-only": { visibility: "public", readOnly: true },
} as const satisfies Record<string, Subject | undefined>;

/** Every combination there is: principal, repository, then what becomes of reading, writing and administering. */
const TABLE: readonly (readonly [Principal["kind"], keyof typeof REPOSITORIES, Decision, Decision, Decision])[] = [
  ["anonymous", "missing", "challenge", "challenge", "challenge"],
  ["anonymous", "private", "challenge", "challenge", "challenge"],
  ["anonymous", "public", "allow", "challenge", "challenge"],
  ["anonymous", "public, read-only", "allow", "challenge", "challenge"],
  ["invalid", "missing", "challenge", "challenge", "challenge"],
  ["invalid", "private", "challenge", "challenge", "challenge"],
  ["invalid", "public", "challenge", "challenge", "challenge"],
  ["invalid", "public, read-only", "challenge", "challenge", "challenge"],
  ["operator", "missing", "hide", "allow", "allow"],
  ["operator", "private", "allow", "allow", "allow"],
  ["operator", "public", "allow", "allow", "allow"],
  ["operator", "public, read-only", "allow", "forbid", "allow"],
];
const ACTIONS: readonly Action[] = ["read", "write", "administer"];

it.each(TABLE)("%s, %s repository: %s, %s, %s", (kind, repository, ...expected) => {
  expect(ACTIONS.map((action) => decide({ kind }, action, REPOSITORIES[repository]))).toEqual(expected);
});

it("tells nobody who may not read it whether a private repository is there", () => {
  for (const kind of ["anonymous", "invalid"] as const) {
    for (const action of ACTIONS) {
      expect(decide({ kind }, action, REPOSITORIES.private)).toBe(decide({ kind }, action, undefined));
    }
  }
});
