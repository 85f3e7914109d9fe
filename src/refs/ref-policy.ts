/**
 * Decides whether a repository's rules let a push change a ref. It is pure and cheap, so that it can run three times:
 * before the pack is ingested, once it is known whether the ref moves forward, and in the transaction that lands the
 * push. Rules may change meanwhile.
 *
 * ```text
 * pattern := full ref name | branch name | either with "*"
 * "*" stands for any characters, "/" among them, as in a refspec
 * ```
 *
 * Every rule whose pattern matches must be satisfied, so adding a rule never allows a change that was refused before.
 *
 * @packageDocumentation
 * @see gitglossary(7) on refspecs, git-config(1) `receive.denyDeletes`, `receive.denyNonFastForwards`
 */
import { itemAt } from "../bytes/assert.ts";
import { byteTextOf } from "../object/escaped-bytes.ts";
import { checkRefFormat } from "../object/ref-name.ts";

/** One rule on the refs that match a pattern. */
export type RefRule = {
  /** See {@link isRefPattern}. */
  readonly pattern: string;
  /** Whether a ref may move other than forward. Every move of a tag counts as such. */
  readonly allowForcePush: boolean;
  readonly allowDeletion: boolean;
  /** Ids or names of the tokens that may create, move and delete these refs. If it is absent, every writer may. */
  readonly pushers?: readonly string[];
  /** Whether the push must carry a good signature by a registered key. */
  readonly requireSigned: boolean;
  /** Contexts in which the commit that a ref is to name must have succeeded; see `commit-statuses.ts`. */
  readonly requiredContexts?: readonly string[];
};

/** The most rules of a repository. They travel with every snapshot. */
export const MOST_RULES = 100;
/** The most pushers that a rule may name. */
export const MOST_PUSHERS = 100;
/** The most contexts that a rule may demand. */
export const MOST_REQUIRED = 20;
/** The most characters of a pattern. */
const LONGEST_PATTERN = 250;

/** The pusher, as rules know it. */
export type Pusher = {
  /**
   * The id and name of the pusher's token, either of which a rule may list. Absent for the operator, whom no list
   * binds.
   */
  readonly identities?: readonly string[];
};

/** A change that a push wants to make to one ref, as far as it is known. */
export type RefChange = {
  readonly name: string;
  readonly kind: "create" | "update" | "delete";
  /** Whether the new value keeps the old one reachable; absent until this was checked. */
  readonly forward?: boolean;
  /** Whether the push has a good signature by a registered key; absent until this was checked. */
  readonly signed?: boolean;
  /** Returns the contexts in which the new value succeeded; absent until it is known. */
  readonly succeeded?: () => ReadonlySet<string>;
};

/** The refusal of a rule: a closed list, rendered by {@link explainRefusal}. */
export type RuleRefusal = { readonly pattern: string } & Refused;

type Refused =
  | { readonly what: "pusher" | "deletion" | "force-push" | "unsigned" }
  /** The context in which the new value did not succeed. */
  | { readonly what: "context"; readonly context: string };

/** The most steps, of about 10 ns each, of comparing the names of one push with the rules. */
const MOST_RULE_STEPS = 100_000_000;
/** The steps of a rule for any name. */
const RULE_STEPS = 2;

const BRANCHES = "refs/heads/";
const TAGS = "refs/tags/";

/** Returns the full form of a pattern. One that does not begin with `refs/` is about branches. */
function fullPattern(pattern: string): string {
  return pattern.startsWith("refs/") ? pattern : BRANCHES + pattern;
}

/** Whether `pattern` is valid: a ref or branch name that git accepts, in which `*` may stand for any characters. */
export function isRefPattern(pattern: string): boolean {
  if (pattern === "" || pattern.length > LONGEST_PATTERN) return false;
  return checkRefFormat(fullPattern(pattern).replaceAll("*", "x"));
}

/**
 * Whether a pattern is cut short: `heads/main` names the branch `refs/heads/heads/main`, which nobody means. Git itself takes
 * `heads/main` for `refs/heads/main` (gitrevisions(7)).
 */
export function isShortenedPattern(pattern: string): boolean {
  return /^(?:heads|tags|remotes)\//.test(pattern);
}

/** A pattern, cut at its asterisks. Its pieces have one character per byte, since `*` stands for any bytes. */
type CutPattern = { readonly head: string; readonly pieces: readonly string[]; readonly tail: string | undefined };

function cutPattern(pattern: string): CutPattern {
  const [head = "", ...pieces] = byteTextOf(fullPattern(pattern)).split("*");
  const tail = pieces.pop();
  return { head, pieces, tail };
}

/** The cut patterns of lists of rules. Each list is cut once, because a hundred rules may be compared with half a million refs. */
const cut = new WeakMap<readonly RefRule[], readonly CutPattern[]>();

function cutsOf(rules: readonly RefRule[]): readonly CutPattern[] {
  let patterns = cut.get(rules);
  if (patterns === undefined) {
    patterns = rules.map(({ pattern }) => cutPattern(pattern));
    cut.set(rules, patterns);
  }
  return patterns;
}

/** Returns a function that says how many steps it takes to compare a name with rules. */
export function ruleSteps(rules: readonly RefRule[]): (name: string) => number {
  // A pattern with one asterisk is compared at both ends of a name, one with several within it as well: a step for each character.
  const searching = cutsOf(rules).filter(({ pieces }) => pieces.length > 0).length;
  return ({ length }) => RULE_STEPS * rules.length + searching * length;
}

/** Whether the comparison of the refs of a push with rules takes longer than it may. */
export function takesTooLong(rules: readonly RefRule[], refs: readonly { readonly name: string }[]): boolean {
  const stepsOf = ruleSteps(rules);
  return refs.reduce((steps, { name }) => steps + stepsOf(name), 0) > MOST_RULE_STEPS;
}

/** Whether any of the rules is about a full ref name. */
export function isProtected(rules: readonly RefRule[], name: string): boolean {
  const bytes = byteTextOf(name);
  return cutsOf(rules).some((pattern) => matchesCut(pattern, bytes));
}

/** Whether a name matches a pattern. The name has one character per byte: a caller that has many patterns makes it so once. */
function matchesCut({ head, pieces, tail }: CutPattern, name: string): boolean {
  if (tail === undefined) return name === head;
  // Most patterns differ from a name here, which is found out without a call.
  if (name.charCodeAt(head.length - 1) !== head.charCodeAt(head.length - 1)) return false;
  if (!name.startsWith(head) || name.length < head.length + tail.length) return false;
  const end = name.length - tail.length;
  // The leftmost place of each piece leaves the most room for the next, so one pass decides.
  let at = head.length;
  for (const piece of pieces) {
    const found = name.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return name.endsWith(tail);
}

function refusalOf(rule: RefRule, change: RefChange, pusher: Pusher): Refused | undefined {
  const { identities } = pusher;
  if (rule.pushers !== undefined && identities !== undefined) {
    if (!identities.some((identity) => rule.pushers?.includes(identity) === true)) return { what: "pusher" };
  }
  if (change.kind === "delete" && !rule.allowDeletion) return { what: "deletion" };
  if (change.kind === "update" && !rule.allowForcePush && isForced(change)) return { what: "force-push" };
  if (rule.requireSigned && change.signed === false) return { what: "unsigned" };
  const context = missingContext(rule, change);
  return context === undefined ? undefined : { what: "context", context };
}

/** Returns the first context that the rule demands and the new value lacks. What is deleted needs none. */
function missingContext({ requiredContexts = [] }: RefRule, change: RefChange): string | undefined {
  if (requiredContexts.length === 0 || change.kind === "delete") return undefined;
  const succeeded = change.succeeded?.();
  return succeeded && requiredContexts.find((context) => !succeeded.has(context));
}

/** Whether the change needs force. A move of a tag always does, because clients that have the old value keep it. */
function isForced({ name, forward }: RefChange): boolean {
  return name.startsWith(TAGS) || forward === false;
}

/** Returns the rule's refusal of a change; `undefined` if no rule refuses it, as far as is known. */
export function checkRules(rules: readonly RefRule[], change: RefChange, pusher: Pusher): RuleRefusal | undefined {
  if (rules.length === 0) return undefined;
  const name = byteTextOf(change.name);
  const patterns = cutsOf(rules);
  for (let at = 0; at < rules.length; at++) {
    if (!matchesCut(itemAt(patterns, at), name)) continue;
    const rule = itemAt(rules, at);
    const refused = refusalOf(rule, change, pusher);
    if (refused !== undefined) return { pattern: rule.pattern, ...refused };
  }
  return undefined;
}

/** Whether a rule depends on an exact answer to whether this ref moves forward. */
export function mindsForcePush(rules: readonly RefRule[], name: string): boolean {
  const bytes = byteTextOf(name);
  return cutsOf(rules).some((pattern, at) => !itemAt(rules, at).allowForcePush && matchesCut(pattern, bytes));
}

/** Returns a sentence that says what a rule forbids. */
export function explainRefusal(refusal: RuleRefusal): string {
  const rule = `the rule for '${refusal.pattern}'`;
  switch (refusal.what) {
    case "pusher":
      return `${rule} does not let you push here`;
    case "deletion":
      return `${rule} prohibits deletion`;
    case "force-push":
      return `${rule} prohibits moves that are not a fast-forward`;
    case "unsigned":
      return `${rule} wants a push that is signed by a registered key`;
    case "context":
      return `${rule} wants a commit with the status success in '${refusal.context}'`;
  }
}
