/**
 * Verdicts on `.gitmodules` and `.gitattributes`, each compared with git's.
 *
 * @module-tag thorough
 */
import { afterAll, describe, expect, it } from "vitest";
import { fsckAttachedBlob } from "../../../src/object/fsck-blob.ts";
import type { AttachedFile } from "../../../src/object/fsck-tree.ts";
import { GitReferee, type RawObject } from "./git-verdict.ts";
import { finished } from "../../support/finished.ts";

const referee = new GitReferee();
afterAll(() => {
  referee.dispose();
});

const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));

type Verdict = { rejected: boolean; message: string | undefined; stderr: string };

/** What we say and what git says of a blob, to be equal. */
function judge(file: AttachedFile, text: string): { ours: Verdict; gits: Verdict } {
  const blob: RawObject = { type: "blob", bytes: latin1(text) };
  const tree = Buffer.concat([latin1(`100644 .${file}\0`), referee.nameOf(blob)]);
  const { rejected, stderr } = referee.judge([{ type: "tree", bytes: tree }, blob]);
  const finding = finished(fsckAttachedBlob(file, blob.bytes));
  const message = finding && `${finding.id}: ${finding.text}`;
  // Messages run over lines where what they show does, and git goes on to print others.
  const isGits = message === undefined || stderr.includes(`: ${message}\n`);
  return {
    ours: { rejected: finding !== undefined, message, stderr },
    gits: { rejected, message: isGits ? message : "another", stderr },
  };
}

describe("fsckAttachedBlob of a .gitmodules", () => {
  const named = (name: string): string => `[submodule "${name}"]\n\turl = https://example.com/x\n`;
  it.each([
    "x",
    "a/b",
    "a.b",
    "..",
    "../x",
    "x/..",
    "x/../y",
    "x\\\\..\\\\y",
    "..x",
    "x..",
    "a/...",
    "",
    "...",
    "\\..",
    "a\\/..",
    "é",
    "..\\\\",
    'x\\"y',
    "a\0b",
    "../a\0b",
  ])("judges a submodule called %j as git does", (name) => {
    const { ours, gits } = judge("gitmodules", named(name));
    expect(ours).toEqual(gits);
  });

  const urls = [
    "https://example.com/x",
    "http://example.com",
    "ftp://example.com/x",
    "-x",
    "--upload-pack=x",
    "./-x",
    "../x",
    "../../x",
    "./x",
    "..",
    ".",
    "./%0ax",
    "../%0Ax",
    "./x:%0ay",
    "./%0ax:y",
    "git://h/%0a",
    "git://h/%0ax:y",
    "ssh://h/%0a",
    "h:x%0a",
    "https://h/%0a",
    "https://h/x%0Ay",
    "https://h/a:%0a",
    "https://h/%0a:x",
    "https://u%0a@h/x",
    "https://u:p%0a@h/x",
    "https://u:p@h/x",
    "https://u@v:w@h/x",
    "https:///x",
    "https://",
    "https://@/x",
    "https://u:p@/x",
    "https://?h",
    "https://h?%0a",
    "https://h#x",
    "https://#h",
    "https://%20/x",
    "https://%00/x",
    "http::https://h/x",
    "http::x",
    "https::https:///x",
    "http::ssh://h/x",
    "https::://h",
    "ftps::https://h/%0a",
    "HTTPS:///x",
    "../:x",
    "..//x",
    "../../:x",
    "./:x",
    ".//x",
    "..\\\\x",
    "..\\\\:x",
    ".\\\\..\\\\:x",
    "./../:x",
    "../.x",
    "../..:x",
    "x",
    "/x",
    "file:///x",
    "ext::sh -c x",
    "git@h:x.git",
    "ssh://-x/y",
    '\\"../:x\\"',
    "https://example.com\\n/x",
    "../x\\ny",
    "https://h/%0",
    "https://h/%",
    "git://%0a",
    "https://:0/x",
    "https://[::1]/x",
    "http::-x",
    "https://h/%25%30a",
    "%0a",
    "https:// /x",
  ];
  it.each(urls)("judges the URL %j as git does", (url) => {
    for (const value of [url, `"${url}"`]) {
      const { ours, gits } = judge("gitmodules", `[submodule "x"]\n\turl = ${value}\n`);
      expect(ours).toEqual(gits);
    }
  });

  it.each([
    "path = -x",
    "path = x",
    'path = "-x"',
    "path",
    "update = !x",
    "update = checkout",
    "update = x",
    "update",
    "update = ' !x'",
    "PATH = -x",
    "Update = !x",
    "ignore = -x",
    "branch = !x",
    "url",
    "path = a # b",
    'path = "-" # b',
    "path = x\\\n-y",
    "path = \\\n-y",
    "path =   -x  ; c",
    "update =\t!x",
    'path = \\"-x',
    "path = \\-x",
    'path = "x',
    "1path = -x",
    "pa_th = -x",
    "path -x",
    "path=-x",
    "path\t=-x",
    "path\n=-x",
    "path = x\0y\nupdate = !x",
    "path = -\0y",
    "a-b = 1\n -c = 1",
    "path = a\r\nupdate = !x\r\n",
  ])("judges the setting %j as git does", (setting) => {
    for (const text of [`[submodule "x"]\n\t${setting}\n`, `[submodule "x"] ${setting}`]) {
      const { ours, gits } = judge("gitmodules", text);
      expect(ours).toEqual(gits);
    }
  });

  const bad = "update = !x\n";
  it.each([
    "",
    "\n",
    "# comment",
    "; comment\n",
    '\xef\xbb[submodule "x"]\nupdate = !x',
    "\xef\xbb\xbf",
    `[submodule.x]\n${bad}`,
    `[SubModule "x"]\n${bad}`,
    `[submodule.x.y]\n${bad}`,
    `[submodule]\n${bad}`,
    bad,
    `[submodule "x" ]\n${bad}`,
    `[submodule  "x"]\n${bad}`,
    `[submodule\t"x"]\n${bad}`,
    `[submodule\n"x"]\n${bad}`,
    `[submodule "x\n"]\n${bad}`,
    `[submodule "x`,
    `[submodule`,
    `[submodule "x"`,
    `[submodule x]\n${bad}`,
    `[sub_module "x"]\n`,
    `[submodule "x"]${bad}`,
    `[submodule "x"] # c\n${bad}`,
    `[submodule "x"]\r\n${bad}`,
    `garbage !\n[submodule "x"]\n${bad}`,
    `[submodule "x"]\n${bad}garbage !\n`,
    `[submodule "x"]\n\0${bad}`,
    `[core]\n${bad}[submodule "x"]\nurl = x`,
    `[submodule "x\\\n"]\n${bad}`,
    `[submodule "\\x"]\n${bad}`,
    `[submodules "x"]\n${bad}`,
    `[]\n${bad}`,
    `[submodule.]\n${bad}`,
    `[submodule ""]\nfoo = bar`,
    `[submodule ".."]`,
    `[submodule ".."]\nfoo`,
    `[.submodule "x"]\n${bad}`,
    `[submodule "x"]\n[core]\n${bad}`,
  ])("judges the form %j as git does", (text) => {
    const { ours, gits } = judge("gitmodules", text);
    expect(ours).toEqual(gits);
  });

  it("skips a byte order mark, as git does in files but not when it checks a blob", () => {
    expect(finished(fsckAttachedBlob("gitmodules", latin1(`\xef\xbb\xbf[submodule "x"]\n${bad}`)))?.id).toBe(
      "gitmodulesUpdate",
    );
  });

  it("refuses one that was too large to be held", () => {
    expect(finished(fsckAttachedBlob("gitmodules", undefined))).toEqual({
      id: "gitmodulesLarge",
      text: ".gitmodules too large to parse",
    });
  });
});

describe("fsckAttachedBlob of a .gitattributes", () => {
  const line = (length: number): string => "a".repeat(length);
  it.each([
    "",
    line(2047),
    line(2048),
    `${line(2047)}\n`,
    `${line(2048)}\n`,
    `x\n${line(2047)}\nx`,
    `x\n${line(2048)}`,
    `x\0${line(3000)}`,
    `${line(2047)}\0${line(2048)}`,
    `${line(2048)}\0`,
    `\n\n${line(2046)}\r\n`,
    `\0`,
  ])("judges the form %j as git does", (text) => {
    const { ours, gits } = judge("gitattributes", text);
    expect(ours).toEqual(gits);
  });

  it("refuses one of a size that git doesn't read", () => {
    expect(finished(fsckAttachedBlob("gitattributes", new Uint8Array(100 * 1024 * 1024 + 1)))?.id).toBe(
      "gitattributesLarge",
    );
    expect(finished(fsckAttachedBlob("gitattributes", undefined))?.id).toBe("gitattributesLarge");
  });
});
