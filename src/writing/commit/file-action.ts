/**
 * What a commit does to files.
 *
 * @packageDocumentation
 */
import { LimitExceeded } from "../../bytes/failure.ts";

/** Actions of one commit, and files of one patch. */
const MOST_ACTIONS = 10_000;

/** Characters of all paths of one commit. Each is taken apart, and its directories are held. */
const MOST_PATH_CHARACTERS = 4 * 1024 * 1024;

/** Checks the characters of all paths of a commit. @throws LimitExceeded */
export function assertPaths(characters: number): void {
  if (characters <= MOST_PATH_CHARACTERS) return;
  const detail = `the paths of a commit may have ${MOST_PATH_CHARACTERS} characters together`;
  throw new LimitExceeded("commit-actions", MOST_PATH_CHARACTERS, detail);
}

/** Checks the number of actions of a commit. @throws LimitExceeded */
export function assertActions(count: number): void {
  if (count > MOST_ACTIONS)
    throw new LimitExceeded("commit-actions", MOST_ACTIONS, `a commit may have ${MOST_ACTIONS} actions`);
}

/** One action. Paths are checked, and have one character per byte; `oid` is a raw name. */
export type FileAction =
  /** Sets what is at a path. `mode` is that of what was there, or that of a file, if it is absent. */
  | {
      readonly kind: "write";
      readonly path: string;
      readonly oid: Uint8Array;
      readonly mode?: number;
      /** What has to be the case before. */
      readonly must?: "exist" | "not-exist";
    }
  | { readonly kind: "delete"; readonly path: string }
  /** Moves a file, perhaps with other content. */
  | {
      readonly kind: "move";
      readonly path: string;
      readonly from: string;
      readonly oid?: Uint8Array;
      readonly mode?: number;
    }
  | { readonly kind: "chmod"; readonly path: string; readonly mode: number };

/** An action that can't be done: its index from 0, the member at fault, and why. */
export type RefusedAction = {
  readonly index: number;
  readonly member: "path" | "from" | "content" | "blob" | "mode" | "oid" | "target" | "action";
  readonly detail: string;
};
