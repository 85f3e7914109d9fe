/**
 * The types of files that a browser shows by itself.
 *
 * @packageDocumentation
 */
import { describe, expect, it } from "vitest";
import { mediaOf } from "../../../src/web/media-type.ts";

const svg = { kind: "image", type: "image/svg+xml" };
const typeOf = (text: string): unknown => mediaOf(Buffer.from(text, "latin1"));

describe("mediaOf", () => {
  it.each([
    "<svg>",
    '<svg xmlns="http://www.w3.org/2000/svg">',
    '<?xml version="1.0"?>\n<!-- a comment -->\n<!-- another -->\n<svg >',
    "<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN'>\n<svg\n",
    "\xef\xbb\xbf<svg>",
  ])("knows %j as an image", (text) => {
    expect(typeOf(text)).toEqual(svg);
  });

  it.each(["<html><svg>", "<svgx>", "<!-- <svg>", "text <svg>", "", "<!-->", "<?xml", `${"<!---->".repeat(146)}x`])(
    "takes %j for no image",
    (text) => {
      expect(typeOf(text)).toBeUndefined();
    },
  );
});
