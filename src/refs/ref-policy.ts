/**
 * What a repository's rules let a push do to a ref. Pure, and cheap enough to be asked three times: before the pack is taken in,
 * once it is known whether the ref moves forward, and in the transaction that lands the push, since rules may change meanwhile.
 *
 * ```text
 * pattern := full ref name | branch name | either with "*"        "*" stands for any characters, "/" among them, as in a refspec
 * ```
 *
 * Every rule whose pattern matches has to be satisfied, so that adding one never allows what was refused before.
 *
 * @packageDocumentation
 * @see gitglossary(7) on refspecs, git-config(1) `receive.denyDeletes`, `receive.denyNonFastForwards`
 */
import { checkRefFormat } from "../object/ref-name.ts";

/** One rule on the refs that match a pattern. */
export type RefRule = {
  /** See {@link isRefPattern}. */
  readonly pattern: string;
  /** Whether a ref may move other than forward. A tag that moves at all does. */
  readonly allowForcePush: boolean;
  readonly allowDeletion: boolean;
  /** Ids or names of the tokens that may create, move and delete; absent: whoever may write. */
  readonly pushers?: readonly string[];
  /** Whether the push has to carry a good signature by a registered key. */
  readonly requireSigned: boolean;
};

/** The most rules a repository may have: they travel with every snapshot. */
export const MOST_RULES = 100;
/** The most pushers that a rule may name. */
export const MOST_PUSHERS = 100;
/** Characters of the longest pattern. */
const LONGEST_PATTERN = 250;

/** Who pushes, as rules know it. */
export type Pusher = {
  /** What a rule may name it by: its token's id and name. Absent: it is bound by no list, as the operator. */
  readonly identities?: readonly string[];
};

/** What a push wants to do to one ref, as far as it is known. */
export type RefChange = {
  readonly name: string;
  readonly kind: "create" | "update" | "delete";
  /** Whether the new value keeps the old one reachable; absent while nobody has looked. */
  readonly forward?: boolean;
  /** Whether the push is signed and the signature good, by a registered key; absent while nobody has looked. */
  readonly signed?: boolean;
};

/** What a rule says: a closed list, rendered by {@link explainRefusal}. */
export type RuleRefusal = {
  readonly pattern: string;
  readonly what: "pusher" | "deletion" | "force-push" | "unsigned";
};

const BRANCHES = "refs/heads/";
const TAGS = "refs/tags/";

/** Gives the full form of a pattern: one that does not begin with `refs/` speaks of branches. */
function fullPattern(pattern: string): string {
  return pattern.startsWith("refs/") ? pattern : BRANCHES + pattern;
}

/** Whether `pattern` may be one: a ref name, or a branch's, that git would take, in which `*` may stand for anything. */
export function isRefPattern(pattern: string): boolean {
  if (pattern === "" || pattern.length > LONGEST_PATTERN) return false;
  return checkRefFormat(fullPattern(pattern).replaceAll("*", "x"));
}

/** A pattern, cut at its asterisks. */
type CutPattern = { readonly head: string; readonly pieces: readonly string[]; readonly tail: string | undefined };

function cutPattern(pattern: string): CutPattern {
  const [head = "", ...pieces] = fullPattern(pattern).split("*");
  const tail = pieces.pop();
  return { head, pieces, tail };
}

/** The patterns of rules, each cut once: a hundred rules may be asked of half a million refs. */
const cut = new WeakMap<RefRule, CutPattern>();

function isAbout(rule: RefRule, name: string): boolean {
  let pattern = cut.get(rule);
  if (pattern === undefined) {
    pattern = cutPattern(rule.pattern);
    cut.set(rule, pattern);
  }
  return matchesCut(pattern, name);
}

/** Says whether a pattern matches a full ref name. */
export function matchesRef(pattern: string, name: string): boolean {
  return matchesCut(cutPattern(pattern), name);
}

function matchesCut({ head, pieces, tail }: CutPattern, name: string): boolean {
  if (tail === undefined) return name === head;
  if (!name.startsWith(head) || name.length < head.length + tail.length) return false;
  const end = name.length - tail.length;
  // The leftmost place of each piece leaves the most room for the next, so that one pass decides.
  let at = head.length;
  for (const piece of pieces) {
    const found = name.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return name.endsWith(tail);
}

function refusalOf(rule: RefRule, change: RefChange, pusher: Pusher): RuleRefusal["what"] | undefined {
  const { identities } = pusher;
  if (rule.pushers !== undefined && identities !== undefined) {
    if (!identities.some((identity) => rule.pushers?.includes(identity) === true)) return "pusher";
  }
  if (change.kind === "delete" && !rule.allowDeletion) return "deletion";
  if (change.kind === "update" && !rule.allowForcePush && isForced(change)) return "force-push";
  if (rule.requireSigned && change.signed === false) return "unsigned";
  return undefined;
}

/** Whether the change needs force. A tag that moves always does: clients that have the old one keep it. */
function isForced({ name, forward }: RefChange): boolean {
  return name.startsWith(TAGS) || forward === false;
}

/** Gives what forbids a change; `undefined` where it may be, as far as is known. */
export function checkRules(rules: readonly RefRule[], change: RefChange, pusher: Pusher): RuleRefusal | undefined {
  for (const rule of rules) {
    if (!isAbout(rule, change.name)) continue;
    const what = refusalOf(rule, change, pusher);
    if (what !== undefined) return { pattern: rule.pattern, what };
  }
  return undefined;
}

/** Says whether it has to be found out, exactly, whether a ref moves forward. */
export function mindsForcePush(rules: readonly RefRule[], name: string): boolean {
  return rules.some((rule) => !rule.allowForcePush && isAbout(rule, name));
}

/** Says in a sentence what a rule forbids. */
export function explainRefusal({ pattern, what }: RuleRefusal): string {
  const rule = `the rule for '${pattern}'`;
  switch (what) {
    case "pusher":
      return `${rule} does not let you push here`;
    case "deletion":
      return `${rule} prohibits deletion`;
    case "force-push":
      return `${rule} prohibits moves that are not a fast-forward`;
    case "unsigned":
      return `${rule} wants a push that is signed by a registered key`;
  }
}
