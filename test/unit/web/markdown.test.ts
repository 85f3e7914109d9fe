/**
 * Markdown as pages show it.
 *
 * @packageDocumentation
 */
import { describe, expect, it } from "vitest";
import { itemAt } from "../../../src/bytes/assert.ts";
import { renderMarkdown } from "../../../src/web/markdown.ts";
import { tableColumns } from "../../../src/web/markdown/table.ts";
import { MARKDOWN_PIECES, repeated } from "../../support/markdown-pieces.ts";
import { SeededRandom } from "../../support/seeded-random.ts";

const PLACE = { name: { tenant: "acme", repo: "docs" }, revision: "main", directory: "guide" };

/** Renders a document, and counts the steps that were told, and the most of them in one turn. */
function rendered(text: string): { readonly html: string; readonly steps: number; readonly longest: number } {
  const work = renderMarkdown(text, PLACE);
  let [steps, longest] = [0, 0];
  for (;;) {
    const next = work.next();
    if (next.done === true) return { html: next.value, steps, longest };
    steps += next.value;
    longest = Math.max(longest, next.value);
  }
}

const render = (text: string): string => rendered(text).html;

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

  it.each(["[a]: b\n---\n", "- [a]: b\n  ---\n", "[a]: b\n***\n"])("leaves no empty paragraph of %j", (text) => {
    expect(render(text)).toContain("<hr>");
    expect(render(text)).not.toContain("<p>");
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
      "$",
      "$a ",
      "$$ ",
    ];
    for (const sign of hostile) {
      const text = sign.repeat(Math.floor(60_000 / sign.length));
      expect(render(text).length).toBeGreaterThan(0);
      expect(render(`${sign}a\n`.repeat(5000)).length).toBeGreaterThan(0);
    }
  });

  it.each([
    ["$x_1 + y_2$ and $a*b*c$.", "<code>$x_1 + y_2$</code> and <code>$a*b*c$</code>."],
    ["($\\{a\\}$)", "(<code>$\\{a\\}$</code>)"],
    ["$`a_1*b_2*`$", "<code>$a_1*b_2*$</code>"],
    ["$$\na \\\\\n<b> _c_ $d$\n$$", "<code>$$\na \\\\\n&lt;b&gt; _c_ $d$\n$$</code>"],
    // What is none.
    ["$5 and $6, US$7 *a* A$8", "$5 and $6, US$7 <em>a</em> A$8"],
    ["It is $6, US$ *7*.", "It is $6, US$ <em>7</em>."],
    ["$6 or US$; $1,000.50 (A$ *9*) and $x_1_$", "$6 or US$; $1,000.50 (A$ <em>9</em>) and <code>$x_1_$</code>"],
    ["$2 + C$, $2x, C$, $1, \\dots, A$", "<code>$2 + C$</code>, <code>$2x, C$</code>, <code>$1, \\dots, A$</code>"],
    ["$ *a* $$ *b* $$$ *c* $$", "$ <em>a</em> $$ <em>b</em> $$$ <em>c</em> $$"],
    ["$$$ *a* $$ *b*", "$$$ <em>a</em> $$ <em>b</em>"],
    ["$ *a* $b *c*$d", "$ <em>a</em> $b <em>c</em>$d"],
    ["\\$*a*$ $*b*\\$", "$<em>a</em>$ $<em>b</em>$"],
    ["$*a*\n*b*$ and $$", "$<em>a</em>\n<em>b</em>$ and $$"],
  ])("leaves the formulas in %j as they are written", (text, html) => {
    expect(render(text)).toBe(`<p>${html}</p>\n`);
  });

  it.each([
    ["> [!NOTE]\n> *a*", "<p><strong>Note</strong></p>\n<p><em>a</em></p>\n"],
    ["> [!warning] \n> a\n>\n> b", "<p><strong>Warning</strong></p>\n<p>a</p>\n<p>b</p>\n"],
    ["> [!TIP]\n>\n> - a", "<p><strong>Tip</strong></p>\n<ul>\n<li>a</li>\n</ul>\n"],
    // What is none.
    ["> [!NOTE]", "<p>[!NOTE]</p>\n"],
    ["> [!NOTE] a\n> b", "<p>[!NOTE] a\nb</p>\n"],
    ["> [!OTHER]\n> a", "<p>[!OTHER]\na</p>\n"],
    ["> a\n>\n> [!NOTE]\n> b", "<p>a</p>\n<p>[!NOTE]\nb</p>\n"],
    ["> > [!NOTE]\n> > a", "<blockquote>\n<p>[!NOTE]\na</p>\n</blockquote>\n"],
  ])("shows the quotation %j as an alert where it is one", (text, html) => {
    expect(render(text)).toBe(`<blockquote>\n${html}</blockquote>\n`);
  });

  /** A link to the footnote with this number, and one back from it. */
  const sign = (number: number, link = 1): string =>
    `<sup><a href="#user-content-fn.${number}" id="user-content-fnref.${number}.${link}" rel="nofollow ugc noopener">${number}</a></sup>`;
  const back = (number: number, link = 1): string =>
    ` <a href="#user-content-fnref.${number}.${link}" title="Back to the text" rel="nofollow ugc noopener">↩${link === 1 ? "" : `<sup>${link}</sup>`}</a>`;
  const notes = (...bodies: readonly string[]): string => {
    const items = bodies.map((body, at) => `<li id="user-content-fn.${at + 1}">\n${body}</li>\n`).join("");
    return `<hr>\n<h2 id="user-content-footnotes">Footnotes</h2>\n<ol>\n${items}</ol>\n`;
  };

  it.each([
    ["a[^x] b.\n\n[^x]: c *d*\n", `<p>a${sign(1)} b.</p>\n${notes(`<p>c <em>d</em>${back(1)}</p>\n`)}`],
    // In the order in which they are referred to; the first of two with one label; not those that nothing refers to.
    [
      "[^z]: 1\n[^y]: 2\n[^Y]: 3\n[^x]: 4\n\na[^y] b[^Z]",
      `<p>a${sign(1)} b${sign(2)}</p>\n${notes(`<p>2${back(1)}</p>\n`, `<p>1${back(2)}</p>\n`)}`,
    ],
    ["a[^1] b[^1]\n[^1]: c", `<p>a${sign(1)} b${sign(1, 2)}</p>\n${notes(`<p>c${back(1)}${back(1, 2)}</p>\n`)}`],
    // A footnote of several blocks, of none, and those that refer to each other.
    [
      "a[^1]\n\n[^1]:\n    b\n    goes on\n\n        c\n\nd",
      `<p>a${sign(1)}</p>\n<p>d</p>\n${notes(`<p>b\ngoes on</p>\n<pre><code>c</code></pre>\n${back(1)}\n`)}`,
    ],
    ["a[^1]\n\n[^1]:", `<p>a${sign(1)}</p>\n${notes(`${back(1)}\n`)}`],
    [
      "a[^1]\n\n[^1]: b[^2]\n[^2]: c[^1][^2]",
      `<p>a${sign(1)}</p>\n${notes(`<p>b${sign(2)}${back(1)}${back(1, 2)}</p>\n`, `<p>c${sign(1, 2)}${sign(2, 2)}${back(2)}${back(2, 2)}</p>\n`)}`,
    ],
    // Behind an exclamation, in a link, and in a quotation.
    [
      "a![^1] [b[^1]](c.md)\n\n> [^1]: d\n",
      `<p>a!${sign(1)} <a href="/acme/docs/blob/main/guide/c.md" rel="nofollow ugc noopener">b<sup>1</sup></a></p>\n<blockquote>\n</blockquote>\n${notes(`<p>d${back(1)}</p>\n`)}`,
    ],
    ["*a [^*1] b*\n\n[^*1]: c", `<p><em>a ${sign(1)} b</em></p>\n${notes(`<p>c${back(1)}</p>\n`)}`],
    // What is none.
    ["a[^1] [^ 2] [^] `[^3]` \\[^3]\n\n[^3]: b", "<p>a[^1] [^ 2] [^] <code>[^3]</code> [^3]</p>\n"],
    ["*a [^*1] b*\n\n[^2]: c", "<p>*a [^<em>1] b</em></p>\n"],
    ["    [^1]: b\n\n[^1]", "<pre><code>[^1]: b</code></pre>\n<p>[^1]</p>\n"],
  ])("shows the footnotes of %j behind the text", (text, html) => {
    expect(render(text)).toBe(html);
  });

  it("gives footnotes anchors that no heading has, and no part of their labels", () => {
    const html = render(
      '# fn.1\n\n# fnref.1.1\n\n# Footnotes\n\na[^"><script>x</script>]\n\n[^"><script>x</script>]: b <script>y</script>',
    );
    const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain("user-content-footnotes-1");
    expect(html).not.toMatch(/<script|">&lt;/);
    for (const [, target] of html.matchAll(/ href="#([^"]*)"/g)) expect(ids).toContain(target);
  });

  it("knows the line under the head of a table", () => {
    const delimiters = ["|-|", "-|-", "| :-: | --- |", "|-", "-|", "|:-", ":--|", ":-:"];
    expect(delimiters.filter((line) => tableColumns(line) === undefined)).toEqual([]);
    expect(["---", "- x|", "||", "", "a|-", "| - | x |"].filter((line) => tableColumns(line) !== undefined)).toEqual(
      [],
    );
  });

  // A parser that reads something again from each of many places takes four times as long for twice as much.
  const SIZE = 4 * 1024;
  const FEW = 10_000;
  const TURN = 3_000_000;
  it.each([
    [
      "each",
      (random: SeededRandom, at: number) => [itemAt(MARKDOWN_PIECES, at), random.pick(["", "", "a\n", "\n", " "])],
    ],
    ["two of them", (random: SeededRandom) => [random.pick(MARKDOWN_PIECES), random.pick(MARKDOWN_PIECES)]],
    ["three", (random: SeededRandom) => [1, 2, 3].map(() => random.pick(MARKDOWN_PIECES))],
  ])("takes twice as many steps for twice as much of %s of what makes parsers work", (_, choose) => {
    const random = new SeededRandom(4);
    const superlinear = MARKDOWN_PIECES.flatMap((__, at) => {
      const piece = choose(random, at).join("");
      const [half, whole] = [rendered(repeated(piece, SIZE / 2)), rendered(repeated(piece, SIZE))];
      return whole.steps > 2.2 * half.steps + FEW || whole.longest > TURN ? [[piece, half.steps, whole.steps]] : [];
    });
    expect(superlinear).toEqual([]);
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
    ["lines of a footnote", "    y\n", "[^a]: x\n"],
    ["footnotes that nothing refers to", "[^a]: x\n", ""],
    ["labels of footnotes that nothing ends", "[^aaa", ""],
  ])("renders %s, of which others read again what follows", (_, piece, before) => {
    const text = before + piece.repeat(Math.floor((100 * 1024) / piece.length));
    const { html, steps, longest } = rendered(text);
    expect(html).not.toMatch(/^<pre>/);
    expect([steps < 100_000_000, longest < TURN]).toEqual([true, true]);
  });

  it("shows text that is too long to be taken apart as it is written", () => {
    const [long, short] = ["*a* ".repeat(20_000), "*a* ".repeat(100)];
    expect(render(`# *b*\n\n${long}\n`)).toContain("<em>b</em></h1>\n<p>*a* ");
    expect(render(short)).toContain("<em>a</em>");
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

  it("shows lists within each other, and what lies too deep as text", () => {
    const nested = Array.from({ length: 300 }, (_, at) => `${"  ".repeat(at)}- x`).join("\n");
    const html = render(nested);
    expect(html).toMatch(/^<ul>/);
    expect([html.split("<ul>").length > 40, html.split("<ul>").length < 60]).toEqual([true, true]);
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

  it("shows titles that would become much larger than they are as they are written", () => {
    const titles = (count: number): string => render("#\n".repeat(count));
    expect(titles(100_000)).toMatch(/^<pre>#\n/);
    expect(titles(1000)).toMatch(/^<h1 /);
  });

  it("shows a document as it is written whose footnotes would become much longer than it is", () => {
    expect(render(`${"[^a]".repeat(5000)}\n\n`.repeat(6) + "[^a]: b")).toMatch(/^<pre>\[/);
    const many = Array.from({ length: 3000 }, (_, at) => `a[^${at}]\n\n[^${at}]: b\n\n`).join("");
    expect(render(many).split("<li ")).toHaveLength(3001);
  });

  it("gives targets that many links name no more room than the document has", () => {
    const names = "[a][a ![a]\n\n".repeat(8000);
    const { html, longest } = rendered(`[a]: ${"b".repeat(1000)} "title"\n\n${names}`);
    expect(html).toContain('<a href="/acme/docs/blob/main/guide/bbb');
    expect(html).toMatch(/<p>\[a\]\[a !\[a\]<\/p>\n$/);
    expect([html.length < 10 * names.length, longest < TURN]).toEqual([true, true]);
    expect(render(`[a]: b "title"\n\n${names}`)).toMatch(/<a href="[^"]*" title="title"[^>]*>a<\/a>[^\n]*\n$/);
  });

  it("shows a document as it is written whose addresses would become much longer than it is", () => {
    const links = "[](a)".repeat(5000);
    const directory = `${"%".repeat(200)}/`.repeat(20).slice(0, -1);
    const work = renderMarkdown(`${links}\n\n`.repeat(8), { ...PLACE, directory });
    let next = work.next();
    for (; next.done !== true; next = work.next()) expect(next.value).toBeLessThan(TURN);
    expect(next.value).toMatch(/^<pre>\[\]\(a\)/);
    expect(render(links)).toMatch(/^<p><a /);
  });

  it.each([
    ["backticks that another one follows", `${"`".repeat(250 * 1024)}a\``, /^<p>`/],
    ["signs of a rule that is none", `${"* ".repeat(125 * 1024)}x`, /^<ul>/],
    ["addresses within a domain that is none", `${"_www.".repeat(6500)}_\n\n`.repeat(7), /^<p>_www\./],
  ])("looks once at %s", (_, text, begins) => {
    const { html, longest } = rendered(text);
    expect(html).toMatch(begins);
    expect(longest).toBeLessThan(TURN);
  });

  it("gives way while it writes one paragraph of very many tokens", () => {
    const { html, longest } = rendered("[".repeat(32_000));
    expect(html).toMatch(/^<p>\[\[/);
    expect(longest).toBeLessThan(TURN / 10);
  });

  it.each([
    ["* * *", "<hr>\n"],
    ["- * * *", "<ul>\n<li><hr>\n</li>\n</ul>\n"],
    ["* * - - -", "<ul>\n<li><ul>\n<li><hr>\n</li>\n</ul>\n</li>\n</ul>\n"],
    ["* *", "<ul>\n<li><ul>\n<li></li>\n</ul>\n</li>\n</ul>\n"],
    ["``` a`b", "<p>``` a`b</p>\n"],
    ["www.a_b._www.c.d", '<p><a href="http://www.a_b._www.c.d" rel="nofollow ugc noopener">www.a_b._www.c.d</a></p>\n'],
    ["www.a._www.c", '<p>www.a._<a href="http://www.c" rel="nofollow ugc noopener">www.c</a></p>\n'],
    ["http://a_b.c", "<p>http://a_b.c</p>\n"],
  ])("reads %s as the specification has it", (text, html) => {
    expect(render(text)).toBe(html);
  });

  it("ends an element of HTML where the list or quotation around it ends", () => {
    expect(render("- <div>\n\n</div>")).toBe("<ul>\n<li><div></div></li>\n</ul>\n");
  });
});
