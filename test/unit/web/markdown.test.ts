/**
 * Markdown as pages show it.
 *
 * @packageDocumentation
 */
import { describe, expect, it } from "vitest";
import { isTableDelimiter, renderMarkdown } from "../../../src/web/markdown.ts";

const PLACE = { name: { tenant: "acme", repo: "docs" }, revision: "main", directory: "guide" };
const render = (text: string): string => renderMarkdown(text, PLACE);

describe("renderMarkdown", () => {
  it.each([
    ["[a](other.md)", '<a href="/acme/docs/blob/main/guide/other.md"'],
    ["[a](../top.md#a-part)", '<a href="/acme/docs/blob/main/top.md#user-content-a-part"'],
    ["[a](/src/x%20y.c)", '<a href="/acme/docs/blob/main/src/x%20y.c"'],
    ["[a](#here)", '<a href="#user-content-here"'],
    ["[a](https://example.com/x)", '<a href="https://example.com/x"'],
    ["![b](b.png)", '<img src="/acme/docs/raw/main/guide/b.png" alt="b"'],
    ["![b](https://example.com/b.svg)", '<a href="https://example.com/b.svg"'],
    ['<img src="b.png">', '<img src="/acme/docs/raw/main/guide/b.png" alt="">'],
    ["# A Title!", '<h1 id="user-content-a-title">A Title!</h1>'],
    ["| a |\n| - |\n| b |", "<td>b</td>"],
    ["- [x] done", '<input type="checkbox" disabled aria-label="Task" checked>'],
    ["~~gone~~", "<del>gone</del>"],
    ["```js\nlet a = 1;\n```", '<span class="hljs-keyword">let</span>'],
  ])("renders %s", (text, expected) => {
    expect(render(text)).toContain(expected);
  });

  it.each([
    "[a](javascript:alert(1))",
    "[a](  java\tscript:alert(1))",
    "<javascript:alert(1)>",
    "[a](data:text/html,x)",
    "[a](//evil.example/x)",
    "![a](javascript:alert(1))",
    '[a](x "onmouseover=alert(1)")<script>alert(1)</script>',
    "`<script>`",
    "```<script>\n<script>alert(1)</script>\n```",
    '<a href="javascript&colon;alert(1)">x</a>',
    "[a]: javascript:alert(1)\n\n[a]",
    "<details open ontoggle=alert(1)>x",
    "<kbd><img/src=x/onerror=alert(1)></kbd>",
    "<kbd><p/id=refs></p/><script/src=/evil/xss.git/HEAD></script/></kbd>",
    "<code><form/action=/-/logout><meta/http-equiv=refresh content=0></code>",
    "<pre>\n<img/src=x/onerror=alert(1)>\n</pre>",
    "<x-y\nonclick=alert(1)\n>",
  ])("lets no script out of %s", (text) => {
    const html = render(text);
    expect(html).not.toMatch(/<script|(?:href|src)="(?:javascript|data|\/\/)/i);
    expect(html).not.toMatch(/<[^>]*[\s/]on\w+=/i);
    // Every tag is one that the filter has written.
    for (const [tag] of html.matchAll(/<[^>]*>?/g)) expect(tag).toMatch(/^<\/?[a-z0-9]+(?: [a-z]+="[^"<>]*")*>$/);
  });

  it("leads no link out of the repository", () => {
    expect(render("[a](../../../../-/logout)")).not.toContain("href");
  });

  it("answers for documents made to take long", () => {
    const hostile = [
      "> ",
      "- ",
      "[",
      "*",
      "_",
      "`",
      "<",
      "![",
      "**a ",
      "[a](",
      "<!--",
      "| ",
      "&",
      "\\",
      "#",
      "~~a",
      "1. ",
    ];
    for (const sign of hostile) {
      const text = sign.repeat(Math.floor(60_000 / sign.length));
      expect(render(text).length).toBeGreaterThan(0);
      expect(render(`${sign}a\n`.repeat(5000)).length).toBeGreaterThan(0);
    }
  });

  it("looks at each part of a line once to tell whether it is the one under a table's head", () => {
    const long = 5_000_000;
    for (const line of [`${" ".repeat(long)}- x`, `-${"|".repeat(long)}x`, `>${"\t".repeat(long)}|`]) {
      expect(isTableDelimiter(line)).toBe(false);
    }
    const delimiters = ["|-|", "-|-", " > | :-: | --- |", "|-", "-|", "  |:-", ":--|"];
    expect(delimiters.filter((line) => !isTableDelimiter(line))).toEqual([]);
    expect(["---", "- x|", "||", "", " > ", "a|-"].filter((line) => isTableDelimiter(line))).toEqual([]);
  });

  it.each([
    ["lines under titles", "a\n-\n", ""],
    ["lines under titles that are indented", "   -\na\n", ""],
    ["lines under heads of tables", "=\n-|- \n", "a\n"],
    ["lines under heads, between items that end no block", "a\n-\n2. x\n", ""],
    ["lines of an item", "a   \n", "* a\n"],
    ["lines of an item, and items that lie too deep", "a\n        - b\n", "* a\n"],
    ["lines of an item behind an empty one", "  a   \n", "* a\n\n"],
    ["instructions that nothing ends", "a <?\n", "a "],
    ["declarations that nothing ends", "a <!a \n", "a "],
    ["comments that nothing ends", "a <!--\n", "a "],
    ["quotations within paragraphs", "> a\nb\n", ""],
    ["lines that go on with an item in a quotation", "y\n", "> - x\n"],
    ["lines that go on with an item in two quotations", "y\n", "> > - > - x\n"],
    ["lines that go on with a numbered item in a quotation", "y\n", "> 1. x\n"],
    ["lines of an item, all in a quotation", "> y\n", "> - x\n"],
    ["lines that go on with a quotation in an item", "y\n", "- > x\n"],
    ["items in a quotation that are interrupted, with more of them", "y\n> - y\n> - z\n", ""],
    ["signs behind what looks like rows of a table", "|*a \n", ""],
    ["signs behind numbers that begin no list", "2. *a \n", "x\n"],
    ["signs behind items that lie too deep", "     - *a \n", "x\n"],
    ["signs behind rows under a head that is none", "|*a \n", "|a|b|\n|-|\n"],
    ["signs behind a table that a title ended", "|*a \n", "|a|\n|-|\n# x\n"],
    ["signs behind a table that an empty line ended", "|*a \n", "|a|\n|-|\n\n"],
    ["lines of an item that end in other ways", "y\ry\r\n", "- x\r"],
    ["items in a quotation that are interrupted", "> - x\ny\n", ""],
  ])("shows %s as they are written, where a parser would read all that follows again from each", (_, piece, before) => {
    const text = before + piece.repeat(Math.floor((250 * 1024) / piece.length));
    expect(render(text)).toMatch(/^<pre>/);
    // A few of them are rendered.
    expect(render(before + piece.repeat(5))).not.toMatch(/^<pre>/);
  });

  it("renders what people write much of", () => {
    const sections = "A title\n-------\n\nSome words of a paragraph,\nand some more.\n\n".repeat(3000);
    const items = "- an item\n  that goes on\n".repeat(8000);
    const pages = `- an item\n\n${"Words of a long paragraph.\n".repeat(8000)}`;
    const comments = "Words <!-- and a comment -->\n".repeat(1000);
    const table = `| a | b |\n| - | - |\n${"| one | two |\n".repeat(8000)}`;
    const quotation = "> words of somebody else\n".repeat(8000);
    const quoted = "> - an item of somebody else\n>   that goes on\n".repeat(4000);
    const links = "- **one** [two](three) _four_\n  - [x](y)\n".repeat(1000);
    const cells = `| a | b |\n| - | - |\n${"| **one** | [two](three) |\n".repeat(1000)}`;
    const numbers = `1. **x**\n${"2. [a](b)\n".repeat(1100)}`;
    for (const text of [links, cells]) expect(render(text)).not.toMatch(/^<pre>/);
    expect(render(numbers.slice(0, 6000))).not.toMatch(/^<pre>/);
    for (const text of [sections, items, pages, comments, table, quotation, quoted])
      expect(render(text)).not.toMatch(/^<pre>/);
  });

  it("shows lists that are within each other for long as they are written, and others as lists", () => {
    const nested = Array.from({ length: 700 }, (_, at) => `${" ".repeat(at)}- x`).join("\n");
    expect(render(nested)).toBe(`<pre>${nested}</pre>`);
    // Lines that belong to a deep item count as well, whatever they look like.
    const lazy = `${"  ".repeat(40)}- x\n${"word ".repeat(3000)}\n`.repeat(10);
    expect(render(lazy)).toMatch(/^<pre>/);
    const outline = Array.from({ length: 3000 }, (_, at) => `${"  ".repeat(at % 8)}- item ${at}`).join("\n");
    expect(render(outline)).toMatch(/^<ul>/);
    const manual = `- one\n  - two\n\n${"A long paragraph of words.\n".repeat(8000)}`;
    expect(render(manual)).toContain("<p>A long paragraph");
  });

  it("colours a part of the code of a document", () => {
    const block = `\`\`\`js\n${"let a = 1;\n".repeat(1000)}\`\`\`\n\n`;
    const html = render(block.repeat(10));
    expect(html.split("<pre>")).toHaveLength(11);
    const coloured = html.split("<pre>").filter((each) => each.includes("hljs-")).length;
    expect([coloured > 0, coloured < 10]).toEqual([true, true]);
  });

  it("shows tables that would become much larger than they are as they are written", () => {
    const columns = 800;
    const table = `${"|a".repeat(columns)}|\n${"|-".repeat(columns)}|\n${"|\n".repeat(columns)}`;
    expect(render(table).length).toBeLessThan(10 * table.length);
    expect(render("|a|b|\n|-|-|\n|c|d|\n")).toContain("<td>d</td>");
  });

  it("ends an element of HTML where the list or quotation around it ends", () => {
    expect(render("- <div>\n\n</div>")).toBe("<ul>\n<li><div></div></li>\n</ul>\n");
  });
});
