/**
 * How deep directories may lie within each other where they are followed.
 *
 * @packageDocumentation
 * @see git-config(1), `core.maxTreeDepth`
 */
import { LimitExceeded } from "../bytes/failure.ts";

/** The most directories within each other that are followed, as `core.maxTreeDepth` allows. */
const MOST_DEPTH = 2048;

/** Refuses a depth that no path has. @throws LimitExceeded */
export function assertDepth(depth: number): void {
  if (depth > MOST_DEPTH)
    throw new LimitExceeded("tree-depth", MOST_DEPTH, `directories are nested more than ${MOST_DEPTH} deep`);
}
