/**
 * The one place where access is decided.
 *
 * @packageDocumentation
 */
import type { Principal } from "./principal.ts";

/** What is asked for: reading refs and objects, moving refs (and making the repository by that), changing the repository itself. */
export type Action = "read" | "write" | "administer";

/** What a decision needs to know of a repository; absent where there is none. */
export type Subject = { readonly visibility: "private" | "public"; readonly readOnly: boolean };

/**
 * What to answer: `challenge` is 401, `hide` is 404 as for a repository that does not exist, `forbid` is 403.
 *
 * A private repository and a missing one get the same decision from everyone who may not read it: existence is not told.
 */
export type Decision = "allow" | "challenge" | "hide" | "forbid";

/** Decides. A missing repository is `allow` only for who may make it: to write, or to administer. */
export function decide(principal: Principal, action: Action, subject: Subject | undefined): Decision {
  switch (principal.kind) {
    case "invalid":
      return "challenge";
    case "anonymous":
      return action === "read" && subject?.visibility === "public" ? "allow" : "challenge";
    case "operator":
      if (action === "administer") return "allow";
      if (action === "read") return subject === undefined ? "hide" : "allow";
      return subject?.readOnly === true ? "forbid" : "allow";
  }
}
