/**
 * `.gitattributes`: what is said of which paths.
 *
 * @packageDocumentation
 * @see gitattributes(5), attr.c
 */
import { itemAt } from "../bytes/assert.ts";
import { compileWildmatch } from "./wildmatch.ts";

/** What an attribute is set to: `-name` is false, `!name` makes it `unspecified` again. */
export type AttributeValue = boolean | string;

/** One attribute with its value. */
export type AttributeState = { readonly name: string; readonly value: AttributeValue };

/** A line that applies to paths. */
type PathRule = {
  readonly kind: "path";
  readonly states: readonly AttributeState[];
  /** `path` is relative to the file's directory, `isDirectory` what ends in a slash; that slash is not part of it. */
  matches(path: string, isDirectory: boolean): boolean;
};

/** A line that says what an attribute stands for. */
type MacroRule = { readonly kind: "macro"; readonly name: string; readonly states: readonly AttributeState[] };

/** A line that says something. */
export type AttributeRule = PathRule | MacroRule;

/** Lines of this many bytes and more are ignored, as git does. */
const LINE_BYTES = 2048;
const MACRO = "[attr]";
const BLANK = /[ \t\r\n]/;
const NAME = /^(?!-)[-A-Za-z0-9_.]+$/;
const BYTE_ORDER_MARK = "\xef\xbb\xbf";
const SPECIAL = /[*?[\\]/;

/** Parses a file, one character a byte. `mayDefine`: it is that of the top directory, where attributes may be defined. */
export function parseAttributes(text: string, mayDefine: boolean): AttributeRule[] {
  const body = text.startsWith(BYTE_ORDER_MARK) ? text.slice(BYTE_ORDER_MARK.length) : text;
  return body.split("\n").flatMap((line) => parseLine(line, mayDefine) ?? []);
}

function parseLine(line: string, mayDefine: boolean): AttributeRule | undefined {
  const trimmed = line.replace(/^[ \t\r]+/, "");
  if (trimmed === "" || trimmed.startsWith("#") || line.length >= LINE_BYTES) return undefined;
  const { pattern, rest } = splitPattern(trimmed);
  const words = rest.split(BLANK).filter((word) => word !== "");
  if (pattern.length > MACRO.length && pattern.startsWith(MACRO)) {
    const states = parseStates(words);
    const name = pattern.slice(MACRO.length);
    return mayDefine && states !== undefined && NAME.test(name) ? { kind: "macro", name, states } : undefined;
  }
  const states = parseStates(words);
  if (states === undefined || pattern.startsWith("!")) return undefined;
  return { kind: "path", states, matches: pathMatcher(pattern) };
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

function pathMatcher(pattern: string): PathRule["matches"] {
  const onlyDirectories = pattern.endsWith("/");
  const body = onlyDirectories ? pattern.slice(0, -1) : pattern;
  const isName = !body.includes("/");
  const anchored = body.startsWith("/") ? body.slice(1) : body;
  const isLiteral = !SPECIAL.test(anchored);
  const compiled = compileWildmatch(anchored);
  return (path, isDirectory) => {
    if (onlyDirectories && !isDirectory) return false;
    const text = isName ? path.slice(path.lastIndexOf("/") + 1) : path;
    return isLiteral ? text === anchored : compiled.matches(text);
  };
}

/** The rules of one file, and of which directory it is: "" or a path that ends in a slash. */
export type AttributeFile = { readonly directory: string; readonly rules: readonly AttributeRule[] };

/** Macros within macros that are followed. */
const MOST_STEPS = 1000;

/**
 * Gives what an attribute is set to for a path, which ends in a slash where it is a directory. `files` are those of the directories
 * on the way to it, the deepest first.
 */
export function attributeOf(files: readonly AttributeFile[], path: string, name: string): AttributeValue {
  const isDirectory = path.endsWith("/");
  const bare = isDirectory ? path.slice(0, -1) : path;
  const values = new Map<string, AttributeValue>();
  for (const { directory, rules } of files) {
    const below = bare.slice(directory.length);
    // the last line that applies counts
    for (let at = rules.length - 1; at >= 0; at--) {
      const rule = rules[at];
      if (rule?.kind !== "path" || !rule.matches(below, isDirectory)) continue;
      fill(values, rule.states, files);
      const value = values.get(name);
      if (value !== undefined) return value;
    }
  }
  return "unspecified";
}

/** Sets what is not set yet: the last word of a line first, and of a macro that is set what it stands for. */
function fill(
  values: Map<string, AttributeValue>,
  states: readonly AttributeState[],
  files: readonly AttributeFile[],
): void {
  const todo = [...states];
  for (let steps = 0; todo.length > 0 && steps < MOST_STEPS; steps++) {
    const state = todo.pop();
    if (state === undefined || values.has(state.name)) continue;
    values.set(state.name, state.value);
    if (state.value === true) todo.push(...(macroOf(files, state.name)?.states ?? []));
  }
}

function macroOf(files: readonly AttributeFile[], name: string): MacroRule | undefined {
  for (const { rules } of files) {
    const macro = rules.findLast((rule) => rule.kind === "macro" && rule.name === name);
    if (macro?.kind === "macro") return macro;
  }
  return undefined;
}

/** Leaves out rules that can't say anything of an attribute: neither name it nor one that is defined in any of the files. */
export function rulesAbout(
  rules: readonly AttributeRule[],
  name: string,
  macros: ReadonlySet<string>,
): AttributeRule[] {
  return rules.filter(
    (rule) => rule.kind === "macro" || rule.states.some((s) => s.name === name || macros.has(s.name)),
  );
}

/** Gives the names of the attributes that rules define. */
export function macrosIn(rules: readonly AttributeRule[]): Set<string> {
  return new Set(rules.flatMap((rule) => (rule.kind === "macro" ? [rule.name] : [])));
}
