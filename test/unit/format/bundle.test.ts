/** The head of a bundle, as git reads it. */
import { describe, expect, it } from "vitest";
import { formatBundleHead, formatTips, parseTips } from "../../../src/format/bundle.ts";

const TIPS = [
  { oid: "12".repeat(20), name: "refs/heads/main" },
  // bytes that are no UTF-8
  { oid: "34".repeat(20), name: "refs/heads/caf\\%E9" },
  { oid: "56".repeat(20), name: "refs/tags/v1" },
];
const LINES = [
  `${"12".repeat(20)} refs/heads/main\n`,
  `${"34".repeat(20)} refs/heads/caf\xe9\n`,
  `${"56".repeat(20)} refs/tags/v1\n`,
];
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const all = (): boolean => true;
const NOTHING = { needs: [], prerequisites: [], tips: [] };

describe("a bundle's head", () => {
  it("names the refs, as bytes, and ends with an empty line", () => {
    const read = parseTips(formatTips({ ...NOTHING, tips: TIPS }));
    expect(text(formatBundleHead("sha1", read, all))).toBe(`# v2 git bundle\n${LINES.join("")}\n`);
    expect(text(formatBundleHead("sha256", read, all))).toBe(
      `# v3 git bundle\n@object-format=sha256\n${LINES.join("")}\n`,
    );
  });

  it("names first what the bundle builds on, and only the refs that are shown", () => {
    const said = { needs: ["9a".repeat(20), "bc".repeat(20)], prerequisites: ["78".repeat(20), "9a".repeat(20)] };
    const read = parseTips(formatTips({ ...said, tips: TIPS }));
    const before = `-${"78".repeat(20)} \n-${"9a".repeat(20)} \n`;
    for (const hidden of [[], [0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]]) {
      const lines = LINES.filter((_, i) => !hidden.includes(i)).join("");
      const head = formatBundleHead("sha1", read, (tip) => !hidden.some((i) => TIPS[i]?.name === tip.name));
      expect(text(head)).toBe(`# v2 git bundle\n${before}${lines}\n`);
    }
  });
});

describe("parseTips", () => {
  it("reads back what was written, and leaves out a line that is cut off", () => {
    const said = { needs: ["9a".repeat(20)], prerequisites: ["56".repeat(20)], tips: TIPS };
    const bytes = formatTips(said);
    expect(parseTips(bytes)).toMatchObject(said);
    const cut = parseTips(formatTips({ ...NOTHING, tips: TIPS }).subarray(0, -1));
    expect(cut).toMatchObject({ ...NOTHING, tips: TIPS.slice(0, 2) });
    expect(text(formatBundleHead("sha1", cut, all))).toBe(`# v2 git bundle\n${LINES.slice(0, 2).join("")}\n`);
    expect(parseTips(new Uint8Array(0))).toMatchObject(NOTHING);
  });

  it("takes nothing of a file with prerequisites that is not whole, or longer", () => {
    const bytes = formatTips({ needs: ["9a".repeat(20)], prerequisites: ["56".repeat(20)], tips: TIPS });
    for (let length = bytes.indexOf(10) + 1; length < bytes.length; length++) {
      expect(parseTips(bytes.subarray(0, length)).tips).toEqual([]);
    }
    const longer = Buffer.concat([bytes, Buffer.from(`${"ab".repeat(20)} refs/heads/more\n`)]);
    expect(parseTips(longer)).toMatchObject(NOTHING);
  });
});
