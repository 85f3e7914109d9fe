/**
 * The matcher that follows all ways through a pattern at once: slow and plainly right, what the one in `src/` is compared with.
 *
 * @packageDocumentation
 */
type Token =
  | { readonly kind: "one"; readonly matches: (code: number) => boolean }
  | { readonly kind: "star" | "deep" | "maybe" };

/** A compiled pattern. */
type Wildmatch = { matches(text: string): boolean };

const SLASH = 0x2f;

const CLASSES: Readonly<Record<string, RegExp>> = {
  alnum: /[A-Za-z0-9]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  // eslint-disable-next-line no-control-regex -- control characters are what it is for
  cntrl: /[\x00-\x1f\x7f]/,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t-\r]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

/** Compiles a pattern. Where `*` never takes a slash; a pattern that is malformed matches nothing. Text has one character a byte. */
export function compileTwin(pattern: string): Wildmatch {
  const tokens = tokensOf(pattern);
  return { matches: (text) => tokens !== undefined && run(tokens, text) };
}

function tokensOf(pattern: string): Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length;) {
    const char = pattern[at];
    if (char === "*") {
      at = addStar(pattern, at, tokens);
    } else if (char === "?") {
      tokens.push({ kind: "one", matches: (code) => code !== SLASH });
      at++;
    } else if (char === "[") {
      const set = parseSet(pattern, at);
      if (set === undefined) return undefined;
      tokens.push({ kind: "one", matches: (code) => code !== SLASH && set.has(code) });
      at = set.end;
    } else {
      if (char === "\\") at++;
      // a backslash at the end matches nothing
      const wanted = at < pattern.length ? pattern.charCodeAt(at) : -1;
      tokens.push({ kind: "one", matches: (code) => code === wanted });
      at++;
    }
  }
  return tokens;
}

/** Adds what the stars at `from` stand for; gives where the pattern goes on. */
function addStar(pattern: string, from: number, tokens: Token[]): number {
  let end = from;
  while (pattern[end] === "*") end++;
  const begins = from === 0 || pattern[from - 1] === "/";
  const slash = pattern[end] === "/" ? 1 : pattern.startsWith("\\/", end) ? 2 : 0;
  if (end - from < 2 || !begins || (slash === 0 && end < pattern.length)) {
    tokens.push({ kind: "star" });
    return end;
  }
  if (slash !== 1) {
    tokens.push({ kind: "deep" });
    return end;
  }
  // directories, or none
  tokens.push({ kind: "maybe" }, { kind: "deep" }, { kind: "one", matches: (code) => code === SLASH });
  return end + 1;
}

type Test = (code: number) => boolean;
type CharacterSet = { readonly end: number; readonly has: Test };

/** Parses `[…]` at `from`; `undefined` where it does not end or names a class that is none. */
function parseSet(pattern: string, from: number): CharacterSet | undefined {
  const isNegated = pattern[from + 1] === "!" || pattern[from + 1] === "^";
  const tests: Test[] = [];
  const first = from + (isNegated ? 2 : 1);
  let at = first;
  // a bracket that comes first is meant as itself
  while (at === first || pattern[at] !== "]") {
    const named = pattern[at] === "[" ? namedClass(pattern, at) : undefined;
    if (named === null) return undefined;
    const item = named ?? parseRange(pattern, at);
    if (item === undefined) return undefined;
    tests.push(item.has);
    at = item.end;
  }
  return { end: at + 1, has: (code) => tests.some((test) => test(code)) !== isNegated };
}

/** Parses a character, or two with a dash between them. */
function parseRange(pattern: string, from: number): CharacterSet | undefined {
  const low = parseCharacter(pattern, from);
  if (low === undefined) return undefined;
  const isRange = pattern[low.end] === "-" && pattern[low.end + 1] !== undefined && pattern[low.end + 1] !== "]";
  const high = isRange ? parseCharacter(pattern, low.end + 1) : low;
  if (high === undefined) return undefined;
  return { end: high.end, has: (code) => code >= low.code && code <= high.code };
}

function parseCharacter(pattern: string, from: number): { readonly code: number; readonly end: number } | undefined {
  const at = pattern[from] === "\\" ? from + 1 : from;
  return at < pattern.length ? { code: pattern.charCodeAt(at), end: at + 1 } : undefined;
}

/** Parses `[:name:]`; `undefined` where it is not one, `null` where there is no class of this name. */
function namedClass(pattern: string, from: number): CharacterSet | undefined | null {
  if (pattern[from + 1] !== ":") return undefined;
  const end = pattern.indexOf("]", from + 2);
  if (end < 0) return null;
  if (pattern[end - 1] !== ":" || end - 1 < from + 2) return undefined;
  const characters = CLASSES[pattern.slice(from + 2, end - 1)];
  if (characters === undefined) return null;
  return { end: end + 1, has: (code) => characters.test(String.fromCharCode(code)) };
}

/** Follows all ways through the pattern at once. */
function run(tokens: readonly Token[], text: string): boolean {
  let states = new Uint8Array(tokens.length + 1);
  reach(tokens, states, 0);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const next = new Uint8Array(tokens.length + 1);
    let alive = false;
    for (const [i, token] of tokens.entries()) {
      if (states[i] !== 1 || token.kind === "maybe") continue;
      const stays = token.kind === "deep" || (token.kind === "star" && code !== SLASH);
      if (!stays && !(token.kind === "one" && token.matches(code))) continue;
      reach(tokens, next, stays ? i : i + 1);
      alive = true;
    }
    if (!alive) return false;
    states = next;
  }
  return states[tokens.length] === 1;
}

/** Enters a state, and those that follow without taking a character. */
function reach(tokens: readonly Token[], states: Uint8Array, state: number): void {
  const pending = [state];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    if (states[at] === 1) continue;
    states[at] = 1;
    const token = tokens[at];
    if (token === undefined || token.kind === "one") continue;
    pending.push(at + 1);
    if (token.kind === "maybe") pending.push(at + 3);
  }
}
