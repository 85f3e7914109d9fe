/**
 * Decides whether a repository's rules let a push change a ref. It is pure, so that it can run twice: before the pack is
 * ingested, and before the transaction that lands the push, once it is known whether the ref moves forward. The
 * transaction only looks whether the rules are still the same, and in which contexts a commit succeeded.
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
};

/** The refusal of a rule: a closed list, rendered by {@link explainRefusal}. */
export type RuleRefusal = { readonly pattern: string } & Refused;

/** What refuses a change, whatever its new value is. */
type StaticRefusal = "pusher" | "deletion" | "force-push" | "unsigned";

type Refused =
  | { readonly what: StaticRefusal }
  /** The context in which the new value did not succeed. */
  | { readonly what: "context"; readonly context: string };

/** The most steps, of about 10 ns each, of comparing the names of one push with the rules. */
const MOST_RULE_STEPS = 100_000_000;
/** The steps of a rule for any name, and of each context that it demands. */
const RULE_STEPS = 2;
const CONTEXT_STEPS = 5;
/** The steps of a character of a name in which the inner pieces of a pattern are searched. It is done twice for each push. */
const SEARCH_STEPS = 3;

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
  // A pattern with one asterisk is compared at both ends of a name, one with several within it as well.
  const searching = cutsOf(rules).filter(({ pieces }) => pieces.length > 0).length;
  const contexts = rules.reduce((sum, { requiredContexts = [] }) => sum + requiredContexts.length, 0);
  const fixed = RULE_STEPS * rules.length + CONTEXT_STEPS * contexts;
  return ({ length }) => fixed + SEARCH_STEPS * searching * length;
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

/** What a push is judged by, beside its changes. */
export type JudgedPush = {
  readonly pusher: Pusher;
  /** Whether the push has a good signature by a registered key; absent until this was checked. */
  readonly signed?: boolean;
};

/** A context in which the new value of a ref must have succeeded, with the pattern of the rule that demands it. */
export type Demand = { readonly pattern: string; readonly context: string };

/** What the rules say of a change: a refusal, or what else they demand. */
export type RuleFinding = { readonly refusal: RuleRefusal } | { readonly demands: readonly (readonly Demand[])[] };

/** A rule, with what is the same for all changes of one push. */
type JudgedRule = {
  readonly rule: RefRule;
  /** What refuses every change of the push. */
  readonly always: "pusher" | undefined;
  readonly isUnsigned: boolean;
  readonly demands: readonly Demand[];
};

function judged(rule: RefRule, { pusher: { identities }, signed }: JudgedPush): JudgedRule {
  const { pattern, pushers, requiredContexts = [] } = rule;
  const isForeign = identities !== undefined && pushers?.some((pusher) => identities.includes(pusher)) === false;
  return {
    rule,
    always: isForeign ? "pusher" : undefined,
    isUnsigned: rule.requireSigned && signed === false,
    demands: requiredContexts.map((context) => ({ pattern, context })),
  };
}

function refusalOf({ rule, always, isUnsigned }: JudgedRule, change: RefChange): StaticRefusal | undefined {
  if (always !== undefined) return always;
  if (change.kind === "delete" && !rule.allowDeletion) return "deletion";
  if (change.kind === "update" && !rule.allowForcePush && isForced(change)) return "force-push";
  return isUnsigned ? "unsigned" : undefined;
}

/** Whether the change needs force. A move of a tag always does, because clients that have the old value keep it. */
function isForced({ name, forward }: RefChange): boolean {
  return name.startsWith(TAGS) || forward === false;
}

/** The rules as they bind one push. What is the same for all of its changes is found out once: there may be half a million. */
export class PushRules {
  readonly #rules: readonly JudgedRule[];
  readonly #patterns: readonly CutPattern[];
  /** The findings so far, by the numbers of the rules that they come from: most refs of a push share one. */
  readonly #findings = new Map<string, RuleFinding>();
  /** Returns the steps of {@link PushRules.findingOf}. */
  readonly stepsOf: (name: string) => number;

  constructor(rules: readonly RefRule[], push: JudgedPush) {
    this.#rules = rules.map((rule) => judged(rule, push));
    this.#patterns = cutsOf(rules);
    this.stepsOf = ruleSteps(rules);
  }

  /**
   * Returns what the rules say of a change; `undefined` if nothing, as far as is known. Demands of contexts are told only where
   * nothing else refuses the change.
   */
  findingOf(change: RefChange): RuleFinding | undefined {
    if (this.#rules.length === 0) return undefined;
    const name = byteTextOf(change.name);
    let key = "";
    const demands: (readonly Demand[])[] = [];
    for (let at = 0; at < this.#rules.length; at++) {
      if (!matchesCut(itemAt(this.#patterns, at), name)) continue;
      const each = itemAt(this.#rules, at);
      const what = refusalOf(each, change);
      if (what !== undefined) {
        return this.#shared(`${at}:${what}`, { refusal: { pattern: each.rule.pattern, what } });
      }
      // What is deleted needs no context.
      if (change.kind === "delete" || each.demands.length === 0) continue;
      key += `${at},`;
      demands.push(each.demands);
    }
    return demands.length === 0 ? undefined : this.#shared(key, { demands });
  }

  #shared(key: string, finding: RuleFinding): RuleFinding {
    const known = this.#findings.get(key);
    if (known === undefined) this.#findings.set(key, finding);
    return known ?? finding;
  }
}

/** Returns the refusal of a finding, given the contexts in which the new value succeeded: the first that is demanded and lacks. */
export function refusalOfFinding(
  finding: RuleFinding,
  succeeded: ReadonlySet<string> | undefined,
): RuleRefusal | undefined {
  if ("refusal" in finding) return finding.refusal;
  if (succeeded === undefined) return undefined;
  for (const demands of finding.demands) {
    const missing = demands.find(({ context }) => !succeeded.has(context));
    if (missing !== undefined) return { ...missing, what: "context" };
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
