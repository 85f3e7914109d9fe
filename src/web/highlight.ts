/**
 * Syntax colours. A highlighter turns a file into HTML with classes; what it is given is always escaped.
 *
 * The grammars are regular expressions that somebody else wrote, and a hostile file could make one take long. So only
 * files of a bounded size, with lines of a bounded length, are coloured.
 *
 * @packageDocumentation
 */
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import c from "highlight.js/lib/languages/c";
import cpp from "highlight.js/lib/languages/cpp";
import csharp from "highlight.js/lib/languages/csharp";
import css from "highlight.js/lib/languages/css";
import diff from "highlight.js/lib/languages/diff";
import dockerfile from "highlight.js/lib/languages/dockerfile";
import go from "highlight.js/lib/languages/go";
import ini from "highlight.js/lib/languages/ini";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import kotlin from "highlight.js/lib/languages/kotlin";
import lua from "highlight.js/lib/languages/lua";
import makefile from "highlight.js/lib/languages/makefile";
import perl from "highlight.js/lib/languages/perl";
import php from "highlight.js/lib/languages/php";
import python from "highlight.js/lib/languages/python";
import ruby from "highlight.js/lib/languages/ruby";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import swift from "highlight.js/lib/languages/swift";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import { escapeHtml } from "./html-filter.ts";

const LANGUAGES = {
  bash,
  c,
  cpp,
  csharp,
  css,
  diff,
  dockerfile,
  go,
  ini,
  java,
  javascript,
  json,
  kotlin,
  lua,
  makefile,
  perl,
  php,
  python,
  ruby,
  rust,
  sql,
  swift,
  typescript,
  xml,
  yaml,
};

/** The largest text, in characters, that is coloured. */
const LARGEST = 64 * 1024;
/** The longest line, in characters, of a text that is coloured. Longer ones are made by programs. */
const LONGEST_LINE = 1000;
/**
 * The most characters that a grammar is given at once. Some of them take time that grows with the square of a text that
 * was made for it, so a file is coloured piece by piece, between lines where authors leave one empty.
 */
const PIECE = 3 * 1024;
/** The steps of colouring a character of a text that was made to take long. */
const CHARACTER_STEPS = 200;

const ENDINGS: Readonly<Record<string, keyof typeof LANGUAGES>> = {
  bash: "bash",
  c: "c",
  cc: "cpp",
  cjs: "javascript",
  conf: "ini",
  cpp: "cpp",
  cs: "csharp",
  css: "css",
  cxx: "cpp",
  diff: "diff",
  dockerfile: "dockerfile",
  go: "go",
  h: "c",
  hh: "cpp",
  hpp: "cpp",
  htm: "xml",
  html: "xml",
  ini: "ini",
  java: "java",
  js: "javascript",
  json: "json",
  jsx: "javascript",
  kt: "kotlin",
  lua: "lua",
  makefile: "makefile",
  mjs: "javascript",
  mk: "makefile",
  mts: "typescript",
  patch: "diff",
  perl: "perl",
  php: "php",
  pl: "perl",
  pm: "perl",
  py: "python",
  rb: "ruby",
  rs: "rust",
  sh: "bash",
  sql: "sql",
  svg: "xml",
  swift: "swift",
  toml: "ini",
  ts: "typescript",
  tsx: "typescript",
  vue: "xml",
  xml: "xml",
  yaml: "yaml",
  yml: "yaml",
  zsh: "bash",
};

/** Returns the language of a file by its name; `undefined` if none is known. */
export function languageOf(fileName: string): string | undefined {
  const name = fileName.toLowerCase();
  const ending = name.slice(name.lastIndexOf(".") + 1);
  return Object.hasOwn(ENDINGS, ending) ? ENDINGS[ending] : undefined;
}

/** Makes a grammar known when a file first needs it: that takes a part of a millisecond for each. */
function grammarOf(language: string): string | undefined {
  const known = Object.hasOwn(LANGUAGES, language) ? language : languageOf(`.${language}`);
  if (known === undefined || !isLanguage(known)) return undefined;
  // Some have others within them: HTML has styles and scripts.
  for (const name of known === "xml" ? (["css", "javascript", "xml"] as const) : [known]) {
    if (hljs.getLanguage(name) === undefined) hljs.registerLanguage(name, LANGUAGES[name]);
  }
  return known;
}

function isLanguage(name: string): name is keyof typeof LANGUAGES {
  return Object.hasOwn(LANGUAGES, name);
}

function isColourable(text: string): boolean {
  if (text.length > LARGEST) return false;
  for (let at = 0; at < text.length;) {
    const end = text.indexOf("\n", at);
    if ((end < 0 ? text.length : end) - at > LONGEST_LINE) return false;
    if (end < 0) return true;
    at = end + 1;
  }
  return true;
}

/** Cuts a text into pieces, behind empty lines where there are any, else behind lines. */
function pieces(text: string): string[] {
  const result: string[] = [];
  let at = 0;
  while (text.length - at > PIECE) {
    const empty = text.lastIndexOf("\n\n", at + PIECE - 2);
    const end = empty > at ? empty + 2 : text.lastIndexOf("\n", at + PIECE - 1) + 1;
    result.push(text.slice(at, end));
    at = end;
  }
  result.push(text.slice(at));
  return result;
}

/**
 * Returns a text as HTML: coloured if the language is known and the text is not too large, else just escaped. It yields
 * the steps of each piece, each about as much work as reading one byte.
 */
export function* highlightedInParts(text: string, language: string | undefined): Generator<number, string, undefined> {
  const grammar = language === undefined || !isColourable(text) ? undefined : grammarOf(language.toLowerCase());
  if (grammar === undefined) return escapeHtml(text);
  let html = "";
  for (const piece of pieces(text)) {
    html += hljs.highlight(piece, { language: grammar, ignoreIllegals: true }).value;
    yield piece.length * CHARACTER_STEPS;
  }
  return html;
}
