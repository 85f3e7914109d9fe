/**
 * Names of refs, compared with git check-ref-format.
 *
 * @module-tag thorough
 */
import { execFileSync } from "node:child_process";
import { afterAll, describe, expect, it } from "vitest";
import { checkRefFormat, isPushableRefName } from "../../../src/object/ref-name.ts";
import { GitReferee } from "./git-verdict.ts";

const referee = new GitReferee();
afterAll(() => {
  referee.dispose();
});

/** Names from pieces that each matter to some rule, in all places where they may. */
function generateNames(): string[] {
  const odd = [
    "",
    ".",
    "..",
    "...",
    "@",
    "@{",
    "{",
    "}",
    "@@",
    "-",
    "~",
    "^",
    ":",
    "?",
    "*",
    "[",
    "]",
    "\\",
    " ",
    "\t",
    "\x01",
    "\x1f",
    "\x7f",
    "é",
    "\u{1F600}",
    ".lock",
    ".loc",
    ".lock.",
    ".lock.lock",
    "lock",
    "HEAD",
    "'",
    '"',
    "$",
    "%",
    "&",
    "#",
    "!",
    ";",
    ",",
    "=",
    "+",
    "|",
    "<",
    ">",
    "(",
    ")",
    "`",
  ];
  const names = [
    "",
    "/",
    "//",
    "@",
    "HEAD",
    "refs",
    "refs/",
    "/refs/heads/x",
    "refs//heads",
    "refs/heads/",
    "refs/heads/x/",
  ];
  for (const piece of odd) {
    const placed = [piece, `a${piece}`, `${piece}a`, `a${piece}b`, `${piece}${piece}`];
    for (const component of placed) {
      names.push(
        component,
        `refs/heads/${component}`,
        `${component}/heads`,
        `refs/${component}/x`,
        `refs/heads/${component}/`,
      );
    }
  }
  // The command would take a dash at the start for an option.
  return [...new Set(names)].filter((name) => !name.startsWith("-"));
}

describe("checkRefFormat", () => {
  it("agrees with git check-ref-format", () => {
    const names = generateNames();
    // One shell instead of a process for each name: git takes but one a call.
    const script = 'while IFS= read -r -d "" name; do git check-ref-format "$name" && echo 1 || echo 0; done';
    const output = execFileSync("bash", ["-c", script], { cwd: referee.dir, input: names.join("\0") + "\0" });
    const gits = names.map((name, i) => `${JSON.stringify(name)} ${output.toString().split("\n")[i]}`);
    const ours = names.map((name) => `${JSON.stringify(name)} ${checkRefFormat(name) ? 1 : 0}`);
    expect(ours).toEqual(gits);
    expect(new Set(ours.map((line) => line.at(-1))).size).toBe(2);
  });

  it("refuses a NUL, which no argument of a command can have", () => {
    expect(checkRefFormat("refs/heads/a\0b")).toBe(false);
  });
});

describe("isPushableRefName", () => {
  it("takes names that lie at least two levels below refs/", () => {
    expect(isPushableRefName("refs/heads/main")).toBe(true);
    expect(isPushableRefName("refs/for/main%topic=x")).toBe(true);
    for (const name of [
      "refs/stash",
      "refs/",
      "refs",
      "HEAD",
      "heads/main",
      "Refs/heads/x",
      "refs/heads/",
      "refs//x",
      "refs/a/.b",
    ]) {
      expect([name, isPushableRefName(name)]).toEqual([name, false]);
    }
  });
});
