/**
 * Reads `.gitattributes`, and tells what an attribute is set to for a path.
 *
 * @packageDocumentation
 * @see gitattributes(5), attr.c
 */
import { itemAt } from "../bytes/assert.ts";
import { Budget } from "../bytes/budget.ts";
import { wildmatch } from "./wildmatch.ts";

/** The value of an attribute: `-name` sets false, and `!name` makes it `unspecified` again. */
export type AttributeValue = boolean | string;

/** One attribute with its value. */
export type AttributeState = { readonly name: string; readonly value: AttributeValue };

/** A line that applies to paths. */
export type PathRule = {
  /** The attributes that the line sets and that can matter, each once. */
  readonly states: readonly AttributeState[];
  readonly pattern: PathPattern;
};

/**
 * One attribute that a caller asks for. With it come the macros of the top directory's file that may set it, each with
 * the states that it stands for. No other line of any file can matter.
 */
export type AttributeQuestion = {
  readonly name: string;
  readonly macros: ReadonlyMap<string, readonly AttributeState[]>;
};

/**
 * The most words behind all names that a file defines together: a word takes a few bytes in the file, and some hundred
 * in memory.
 */
const MOST_MACRO_WORDS = 10_000;
/** The bytes that a rule takes in memory beside its pattern, and the bytes of each of its states. */
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
 * Prepares a question for an attribute. `top` is the text of the top directory's file, with one character per byte:
 * that file alone defines macros.
 *
 * @throws LimitExceeded if its macros have too many words.
 */
export function questionFor(name: string, top: string): AttributeQuestion {
  const macros = new Map<string, readonly AttributeState[]>();
  const words = new Budget({
    limit: "attribute-words",
    max: MOST_MACRO_WORDS,
    message: `.gitattributes defines attributes by more than ${MOST_MACRO_WORDS} words`,
  });
  visitLines(top, (line) => {
    // Quotes around it make no difference.
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

/** Returns the names of the macros that set an attribute, directly or by way of other macros. */
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

/** Parses the lines of a file (with one character per byte) that can matter to a question. */
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
  // Most lines are about other attributes, which is seen without taking them apart.
  if (question.macros.size === 0 && !line.includes(question.name)) return undefined;
  const { pattern, rest } = splitPattern(line);
  const isMacro = pattern.length > MACRO.length && pattern.startsWith(MACRO);
  if (isMacro || pattern.startsWith("!")) return undefined;
  const states = mattering(parseStates(wordsOf(rest)) ?? [], question);
  return states.length === 0 ? undefined : { states, pattern: new PathPattern(pattern) };
}

/**
 * Leaves out states that can't matter: those of other attributes, and those that a later word on the line overrides.
 */
function mattering(states: readonly AttributeState[], { name, macros }: AttributeQuestion): AttributeState[] {
  const last = new Map(states.map((state) => [state.name, state] as const));
  return states.filter((state) => last.get(state.name) === state && (state.name === name || macros.has(state.name)));
}

/** Returns about how many bytes of memory a rule takes. */
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

/** Removes C-style quotes. Returns `undefined` if they are not closed or contain an unknown escape. */
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
    // One bad name makes git ignore the line.
    if (!NAME.test(name) || name.startsWith("builtin_")) return undefined;
    const value = sign === "-" ? false : sign === "!" ? "unspecified" : equals < 0 || word.slice(equals + 1);
    states.push({ name, value });
  }
  return states;
}

/** A pattern, and what can be told from it without matching. */
class PathPattern {
  readonly #pattern: string;
  readonly #onlyDirectories: boolean;
  /** Whether it is matched against the last component of a path alone. */
  readonly #isName: boolean;
  /** The part before the first special character. It is the whole pattern if the pattern is literal. */
  readonly #plain: string;
  /** The part after the last special character, if it is easy to tell, else "". */
  readonly #ending: string;
  /** The least number of characters that a matching text has, if it is easy to tell, else 0. */
  readonly #shortest: number;
  /** Whether the pattern is one star and then the ending. */
  readonly #isEnding: boolean;

  constructor(pattern: string) {
    this.#onlyDirectories = pattern.endsWith("/");
    const body = this.#onlyDirectories ? pattern.slice(0, -1) : pattern;
    this.#isName = !body.includes("/");
    this.#pattern = body.startsWith("/") ? body.slice(1) : body;
    const special = this.#pattern.search(SPECIAL);
    this.#plain = special < 0 ? this.#pattern : this.#pattern.slice(0, special);
    // With a set or an escape, neither ending nor length is what it looks like. The slash of `**/` may stand for
    // nothing.
    const isEasy = !/[[\\]/.test(this.#pattern);
    this.#ending = isEasy ? this.#pattern.slice(this.#pattern.search(/[^*?/]*$/)) : "";
    this.#shortest = isEasy && !this.#pattern.includes("**") ? this.#pattern.replaceAll("*", "").length : 0;
    this.#isEnding = this.#isName && isEasy && this.#pattern === `*${this.#ending}`;
  }

  /** The number of characters in the pattern. */
  get length(): number {
    return this.#pattern.length;
  }

  /** Whether the pattern matches a path. `path` is relative to the file's directory, and has no slash at its end. */
  matches({ path, name, isDirectory }: AskedPath, budget: Budget): boolean {
    if (this.#onlyDirectories && !isDirectory) return false;
    const text = this.#isName ? name : path;
    if (this.#plain.length === this.#pattern.length) return text === this.#pattern;
    if (text.length < this.#shortest || !text.startsWith(this.#plain) || !text.endsWith(this.#ending)) return false;
    return this.#isEnding || wildmatch(this.#pattern, text, budget);
  }
}

type AskedPath = { readonly path: string; readonly name: string; readonly isDirectory: boolean };

/** The rules of one file, and the directory that the file is in: "" or a path that ends in a slash. */
export type AttributeFile = { readonly directory: string; readonly rules: readonly PathRule[] };

/** The most states that are set while macros within macros are followed. */
const MOST_STEPS = 1000;
/** The steps charged for a rule before its pattern is examined. */
const RULE_STEPS = 4;

/**
 * Returns the value of an attribute for a path, which ends in a slash if it is a directory. `files` are those of the
 * directories on the way to it, the deepest first.
 *
 * @throws LimitExceeded if the budget is used up.
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
    // The last line that applies counts.
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
 * Sets attributes that are not set yet, from the last word of a line to the first. A macro that is set also sets what
 * it stands for. Returns the steps to charge.
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

/** The steps charged for setting one attribute. */
const FILL_STEPS = 10;
