/**
 * `.gitattributes`: what is said of which paths.
 *
 * @packageDocumentation
 * @see gitattributes(5), attr.c
 */
import { itemAt } from "../bytes/assert.ts";
import { Budget } from "../bytes/budget.ts";
import { wildmatch } from "./wildmatch.ts";

/** What an attribute is set to: `-name` is false, `!name` makes it `unspecified` again. */
export type AttributeValue = boolean | string;

/** One attribute with its value. */
export type AttributeState = { readonly name: string; readonly value: AttributeValue };

/** A line that applies to paths. */
export type PathRule = {
  /** What it sets of what can matter, each once. */
  readonly states: readonly AttributeState[];
  readonly pattern: PathPattern;
};

/**
 * One attribute that somebody asks for, and those that the top directory's file defines and that may set it, with what each of them
 * stands for. No other line of any file can matter.
 */
export type AttributeQuestion = {
  readonly name: string;
  readonly macros: ReadonlyMap<string, readonly AttributeState[]>;
};

/** Words behind all names that a file defines together: a few bytes each in the file, and some hundred in memory. */
const MOST_MACRO_WORDS = 10_000;
/** Bytes that a rule takes in memory beside its pattern, and that each of its states does. */
const RULE_BYTES = 200;
const STATE_BYTES = 100;
/** Lines of this many bytes and more are ignored, as git does. */
const LINE_BYTES = 2048;
const MACRO = "[attr]";
const BLANK = /[ \t\r\n]/;
const NAME = /^(?!-)[-A-Za-z0-9_.]+$/;
const BYTE_ORDER_MARK = "\xef\xbb\xbf";
const SPECIAL = /[*?[\\]/;

/** Calls `visit` for each line that is not too long, without the blanks before it. */
function visitLines(text: string, visit: (line: string) => void): void {
  const start = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  for (let at = start; at < text.length;) {
    const feed = text.indexOf("\n", at);
    const end = feed < 0 ? text.length : feed;
    if (end - at > 0 && end - at < LINE_BYTES) visit(text.slice(at, end).replace(/^[ \t\r]+/, ""));
    at = end + 1;
  }
}

const wordsOf = (text: string): string[] => text.split(BLANK).filter((word) => word !== "");

/**
 * Asks for an attribute, where the top directory's file has this text, one character a byte: that file alone defines attributes.
 *
 * @throws LimitExceeded where it defines them by too many words.
 */
export function questionFor(name: string, top: string): AttributeQuestion {
  const macros = new Map<string, readonly AttributeState[]>();
  const words = new Budget({
    limit: "attribute-words",
    max: MOST_MACRO_WORDS,
    message: `.gitattributes defines attributes by more than ${MOST_MACRO_WORDS} words`,
  });
  visitLines(top, (line) => {
    // quotes around it make no difference
    if (!line.startsWith(MACRO) && !line.startsWith('"')) return;
    const { pattern, rest } = splitPattern(line);
    const macro = pattern.startsWith(MACRO) ? pattern.slice(MACRO.length) : "";
    const states = NAME.test(macro) ? parseStates(wordsOf(rest)) : undefined;
    if (states === undefined) return;
    words.spend(states.length + 1);
    macros.set(macro, states);
  });
  const setters = settersOf(name, macros);
  return { name, macros: new Map([...macros].filter(([macro]) => setters.has(macro))) };
}

/** Gives the names of the defined attributes that set another, also by way of more of them. */
function settersOf(name: string, macros: AttributeQuestion["macros"]): ReadonlySet<string> {
  const setBy = new Map<string, string[]>();
  for (const [macro, states] of macros) {
    for (const state of states) {
      const list = setBy.get(state.name);
      if (list === undefined) setBy.set(state.name, [macro]);
      else list.push(macro);
    }
  }
  const found = new Set<string>();
  const pending = [name];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    for (const macro of setBy.get(at) ?? []) {
      if (found.has(macro)) continue;
      found.add(macro);
      pending.push(macro);
    }
  }
  return found;
}

/** Parses the lines of a file, one character a byte, that can matter to a question. */
export function parseAttributes(text: string, question: AttributeQuestion): PathRule[] {
  const rules: PathRule[] = [];
  visitLines(text, (line) => {
    const rule = parseLine(line, question);
    if (rule !== undefined) rules.push(rule);
  });
  return rules;
}

function parseLine(line: string, question: AttributeQuestion): PathRule | undefined {
  if (line === "" || line.startsWith("#")) return undefined;
  // most lines are about something else: that is told without taking them apart
  if (question.macros.size === 0 && !line.includes(question.name)) return undefined;
  const { pattern, rest } = splitPattern(line);
  const isMacro = pattern.length > MACRO.length && pattern.startsWith(MACRO);
  if (isMacro || pattern.startsWith("!")) return undefined;
  const states = mattering(parseStates(wordsOf(rest)) ?? [], question);
  return states.length === 0 ? undefined : { states, pattern: new PathPattern(pattern) };
}

/** Leaves out states that can't matter: of other attributes, and what a later word on the line says otherwise. */
function mattering(states: readonly AttributeState[], { name, macros }: AttributeQuestion): AttributeState[] {
  const last = new Map(states.map((state) => [state.name, state] as const));
  return states.filter((state) => last.get(state.name) === state && (state.name === name || macros.has(state.name)));
}

/** Gives about how many bytes of memory a rule takes. */
export function heldBytesOf({ states, pattern }: PathRule): number {
  return RULE_BYTES + pattern.length + states.length * STATE_BYTES;
}

function splitPattern(line: string): { readonly pattern: string; readonly rest: string } {
  const quoted = line.startsWith('"') ? unquote(line) : undefined;
  if (quoted !== undefined) return { pattern: quoted.text, rest: line.slice(quoted.end) };
  const end = line.search(BLANK);
  return end < 0 ? { pattern: line, rest: "" } : { pattern: line.slice(0, end), rest: line.slice(end) };
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
};

/** Takes C-style quotes away; `undefined` where they are not closed or have an escape that is none. */
function unquote(line: string): { readonly text: string; readonly end: number } | undefined {
  const match = /^"((?:[^"\\]|\\(?:[abfnrtv\\"]|[0-3][0-7]{2}))*)"/.exec(line);
  if (match === null) return undefined;
  const text = itemAt(match, 1).replaceAll(/\\([0-3][0-7]{2}|.)/g, (_, code: string) =>
    code.length > 1 ? String.fromCharCode(Number.parseInt(code, 8)) : (ESCAPES[code] ?? code),
  );
  return { text, end: match[0].length };
}

function parseStates(words: readonly string[]): AttributeState[] | undefined {
  const states: AttributeState[] = [];
  for (const word of words) {
    const equals = word.indexOf("=");
    const named = equals < 0 ? word : word.slice(0, equals);
    const sign = named[0] === "-" || named[0] === "!" ? named[0] : "";
    const name = named.slice(sign.length);
    // one bad name, and git ignores the line
    if (!NAME.test(name) || name.startsWith("builtin_")) return undefined;
    const value = sign === "-" ? false : sign === "!" ? "unspecified" : equals < 0 || word.slice(equals + 1);
    states.push({ name, value });
  }
  return states;
}

/** A pattern, and what can be told without matching it. */
class PathPattern {
  readonly #pattern: string;
  readonly #onlyDirectories: boolean;
  /** Whether it is about the last component of a path alone. */
  readonly #isName: boolean;
  /** What comes before the first character that is special: all of it, where it is to be taken literally. */
  readonly #plain: string;
  /** What comes behind the last character that is special, as far as that is told easily. */
  readonly #ending: string;
  /** Characters that a text has at least, as far as that is told easily. */
  readonly #shortest: number;
  /** Whether one star before the ending is all. */
  readonly #isEnding: boolean;

  constructor(pattern: string) {
    this.#onlyDirectories = pattern.endsWith("/");
    const body = this.#onlyDirectories ? pattern.slice(0, -1) : pattern;
    this.#isName = !body.includes("/");
    this.#pattern = body.startsWith("/") ? body.slice(1) : body;
    const special = this.#pattern.search(SPECIAL);
    this.#plain = special < 0 ? this.#pattern : this.#pattern.slice(0, special);
    // Of a set, or what is escaped, neither ending nor length is what it looks like. The slash of `**/` may stand for nothing.
    const isEasy = !/[[\\]/.test(this.#pattern);
    this.#ending = isEasy ? this.#pattern.slice(this.#pattern.search(/[^*?/]*$/)) : "";
    this.#shortest = isEasy && !this.#pattern.includes("**") ? this.#pattern.replaceAll("*", "").length : 0;
    this.#isEnding = this.#isName && isEasy && this.#pattern === `*${this.#ending}`;
  }

  /** Characters of the pattern. */
  get length(): number {
    return this.#pattern.length;
  }

  /** `path` is relative to the file's directory; the slash of one that is a directory is not part of it. */
  matches({ path, name, isDirectory }: AskedPath, budget: Budget): boolean {
    if (this.#onlyDirectories && !isDirectory) return false;
    const text = this.#isName ? name : path;
    if (this.#plain.length === this.#pattern.length) return text === this.#pattern;
    if (text.length < this.#shortest || !text.startsWith(this.#plain) || !text.endsWith(this.#ending)) return false;
    return this.#isEnding || wildmatch(this.#pattern, text, budget);
  }
}

type AskedPath = { readonly path: string; readonly name: string; readonly isDirectory: boolean };

/** The rules of one file, and of which directory it is: "" or a path that ends in a slash. */
export type AttributeFile = { readonly directory: string; readonly rules: readonly PathRule[] };

/** Macros within macros that are followed. */
const MOST_STEPS = 1000;
/** Steps that a rule costs before its pattern is looked at. */
const RULE_STEPS = 4;

/**
 * Gives what an attribute is set to for a path, which ends in a slash where it is a directory. `files` are those of the directories
 * on the way to it, the deepest first.
 *
 * @throws LimitExceeded where the budget is used up.
 */
export function attributeOf(
  files: readonly AttributeFile[],
  path: string,
  question: AttributeQuestion,
  budget: Budget,
): AttributeValue {
  const isDirectory = path.endsWith("/");
  const bare = isDirectory ? path.slice(0, -1) : path;
  const name = bare.slice(bare.lastIndexOf("/") + 1);
  const values = new Map<string, AttributeValue>();
  for (const { directory, rules } of files) {
    const asked = { path: bare.slice(directory.length), name, isDirectory };
    budget.spend(rules.length * RULE_STEPS);
    // the last line that applies counts
    for (let at = rules.length - 1; at >= 0; at--) {
      const rule = rules[at];
      if (rule === undefined || !rule.pattern.matches(asked, budget)) continue;
      budget.spend(fill(values, rule.states, question));
      const value = values.get(question.name);
      if (value !== undefined) return value;
    }
  }
  return "unspecified";
}

/**
 * Sets what is not set yet: the last word of a line first, and of a macro that is set what it stands for. Gives the steps that it
 * took.
 */
function fill(
  values: Map<string, AttributeValue>,
  states: readonly AttributeState[],
  { macros }: AttributeQuestion,
): number {
  const todo = [...states];
  let steps = 0;
  for (; todo.length > 0 && steps < MOST_STEPS; steps++) {
    const state = todo.pop();
    if (state === undefined || values.has(state.name)) continue;
    values.set(state.name, state.value);
    if (state.value === true) todo.push(...(macros.get(state.name) ?? []));
  }
  return (steps + todo.length) * FILL_STEPS;
}

/** Steps that setting one attribute costs. */
const FILL_STEPS = 10;
