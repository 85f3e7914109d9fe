/**
 * The HTML that Markdown may contain.
 *
 * @packageDocumentation
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HtmlFilter } from "../../../src/web/html-filter.ts";
import { finished } from "../../support/finished.ts";

/** Filters pieces of one document; addresses are marked, so that a test sees that they were rewritten. */
function filtered(...pieces: string[]): string {
  const filter = new HtmlFilter({
    link: (address) => (address.startsWith("javascript:") ? undefined : `LINK(${address})`),
    image: (address) => `IMAGE(${address})`,
  });
  return pieces.map((piece) => finished(filter.filter(piece))).join("") + filter.end();
}

describe("HtmlFilter", () => {
  it("passes known elements with known attributes", () => {
    expect(filtered('<p align="center"><img src=a.png width=20 onerror=x() alt="a&lt;b"></p>')).toBe(
      '<p align="center"><img src="IMAGE(a.png)" width="20" alt="a&lt;b"></p>',
    );
    expect(filtered("a &amp; b &copy; c & d")).toBe("a &amp; b &copy; c &amp; d");
  });

  it.each([
    ["<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"],
    ["<style>*{}</style>", "&lt;style&gt;*{}&lt;/style&gt;"],
    ["<iframe src=x>", "&lt;iframe src=x&gt;"],
    ["<form action=/-/logout>", "&lt;form action=/-/logout&gt;"],
    ["<a href='javascript:alert(1)'>x</a>", '<a rel="nofollow ugc noopener">x</a>'],
    ["<a href='java&#115;cript:alert(1)'>x</a>", '<a rel="nofollow ugc noopener">x</a>'],
    ["<p style='position:fixed' class=top id=main>x", "<p>x</p>"],
    ["<img src='x' srcset='//evil/x 2x'>", '<img src="IMAGE(x)" alt="">'],
    ["<!-- a comment --> x", " x"],
    ["<!-- never ended", "&lt;!-- never ended"],
    ["< p>", "&lt; p&gt;"],
  ])("turns %s into what is harmless", (html, expected) => {
    expect(filtered(html)).toBe(expected);
  });

  it("closes what is left open, and leaves out ends without a beginning", () => {
    expect(filtered("<div><b>x")).toBe("<div><b>x</b></div>");
    expect(filtered("</div></section>x")).toBe("&lt;/section&gt;x");
    expect(filtered("<div><b>", "x</div>y</b>")).toBe("<div><b>x</b></div>y");
  });

  it("writes no tag but those of its list, whatever it is given", () => {
    const piece = fc.stringMatching(/^(?:<|>|\/|"|'|=| |a|b|div|script|img|on|src|href|&#?x?1?;?|<!--|-->){0,30}$/);
    const allowed = /^<\/?(?:a|b|div|img)(?: (?:href|src|rel|alt)="[^"<>]*")*>$/;
    fc.assert(
      fc.property(piece, (html) => {
        for (const [tag] of filtered(html).matchAll(/<[^>]*>?/g)) expect(tag).toMatch(allowed);
      }),
      { numRuns: 2000 },
    );
  });
});
