/**
 * Pages as Markdown, read again as Markdown: what a page says is there, and nothing that an author wrote has a meaning of its own.
 */
import { describe, expect, it } from "vitest";
import { HtmlToMarkdown } from "../../../src/web/html-to-markdown.ts";
import { renderMarkdown } from "../../../src/web/markdown.ts";

function markdownOf(main: string, piece = 7): string {
  const html = `<!doctype html><html><head><title>t</title></head><body><header>away</header><main id="main">${main}</main><footer>away</footer></body></html>`;
  const writer = new HtmlToMarkdown();
  let text = "";
  for (let at = 0; at < html.length; at += piece) text += writer.write(html.slice(at, at + piece));
  return text + writer.end();
}

function render(text: string): string {
  const work = renderMarkdown(text, { name: { tenant: "acme", repo: "docs" }, revision: "main", directory: "" });
  for (let next = work.next(); ; next = work.next()) if (next.done === true) return next.value;
}

describe("a page", () => {
  it.each([
    ["<h1>A <bdi>b</bdi></h1><p>c</p>", "# A b\n\nc\n\n"],
    ["<p>one<br/>two &amp; <b>three</b></p>", "one two \\& **three**\n\n"],
    ['<p><a href="/a b(c)"><code>x`y</code></a></p>', "[`` x`y ``](/a%20b%28c%29)\n\n"],
    ["<ul><li>a<ul><li>b</li></ul></li><li><h2>c</h2><p>d</p></li></ul>", "- a\n  - b\n- c\n  d\n\n"],
    [
      "<dl><dt>Author</dt><dd>A U Thor</dd><dt>Commit</dt><dd><code>12</code></dd></dl>",
      "- Author: A U Thor\n- Commit: `12`\n\n",
    ],
    ["<pre>a\n&lt;b&gt;\n</pre>", "    a\n    <b>\n\n"],
    [
      "<table><thead><tr><th>N</th><th>S</th></tr></thead><tbody><tr><td>a|b</td><td></td></tr></tbody></table>",
      "| N | S |\n| - | - |\n| a\\|b |  |\n\n",
    ],
    [
      '<table class="unified"><tbody><tr><td class="n">1</td><td class="n"></td><td class="l"><span class="sign">-</span>  x|y</td></tr></tbody></table>',
      "    -  x|y\n\n",
    ],
    [
      '<table class="blame"><tbody><tr><td class="oid"><a href="/c">12ab</a></td><td class="n">1</td><td class="l">  x</td></tr></tbody></table>',
      "    12ab 1   x\n\n",
    ],
    [
      '<p>a</p><form><input name="x"/>b</form><nav>c</nav><svg><rect></rect></svg><p hidden class="hidden">d</p><p>e</p>',
      "a\n\ne\n\n",
    ],
    ['<p>(a)<a href="/b">c</a><a href="/d">e</a></p>', "\\(a\\)[c](/b) [e](/d)\n\n"],
    ['<p><input class="copy" readonly value="https://x/y.git"/></p>', "`https://x/y.git`\n\n"],
    ['<p><img src="/i.png" alt="an [image]"/></p>', "![an \\[image\\]](/i.png)\n\n"],
  ])("of %s is Markdown, however it comes in pieces", (html, markdown) => {
    for (const piece of [1, 7, 10_000]) expect(markdownOf(html, piece)).toBe(markdown);
  });

  it("gives no meaning to what an author wrote", () => {
    const texts = [
      "# no title",
      "[no](link)",
      "*no*",
      "- no item",
      "<b>no</b>",
      "`no`",
      "1. no",
      "a\n\n# b",
      "| a |",
      "&lt;",
    ];
    for (const text of texts) {
      const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
      const html = render(markdownOf(`<p>x ${escaped}</p><p>${escaped}</p>`));
      expect(html.replaceAll(/<\/?p>|\n/g, "")).not.toMatch(/<[a-z]/);
      expect(html).toContain(escaped.split("\n")[0]);
    }
  });
});
