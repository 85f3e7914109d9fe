/** What people read: tables, things, sizes and times. */
import { describe, expect, it } from "vitest";
import {
  counted,
  displayWidth,
  formatBytes,
  formatSeconds,
  formatTable,
  formatThing,
  formatTime,
} from "../../../scripts/thinpack/output.ts";

describe("a thing", () => {
  it("has a line for each member of its members, and no JSON", () => {
    const text = formatThing({
      name: "widgets",
      read_only: false,
      size_bytes: 18_951_158,
      mirror: { upstream: "https://x.invalid/y", interval: 900, fetch_through: 90, synced_at: null },
      protected: [{ pattern: "main", pushers: ["ci", "bot"] }],
      usage: { repos: 4, objects: 57_803 },
      empty: {},
    });
    expect(text).toBe(
      [
        "name             widgets",
        "read only        no",
        "size             19.0 MB",
        "mirror",
        "  upstream       https://x.invalid/y",
        "  interval       15 minutes",
        "  fetch through  90 seconds",
        "protected",
        "  pattern        main",
        "  pushers        ci, bot",
        "usage",
        "  repos          4",
        "  objects        57,803",
      ].join("\n"),
    );
  });

  it("says that nobody waits for a sync, and gives no unit twice", () => {
    const text = formatThing({ fetch_through: 0, lag: 0, stored: { lfs_bytes: 0, bytes: 1400 } });
    expect(text).toBe(
      ["fetch through  off", "lag            0 seconds", "stored", "  lfs          0 B", "  bytes        1.4 KB"].join(
        "\n",
      ),
    );
  });

  it("shows the last state of progress, and moves no cursor", () => {
    expect(formatThing({ progress: "Counting objects: 8% (1/12)\rCounting objects: 100% (12/12)\r" })).toBe(
      "progress  Counting objects: 100% (12/12)",
    );
    expect(formatThing({ description: "a\u001B[2Jb" })).toBe("description  a [2Jb");
  });
});

it("keeps columns in line, whatever their characters", () => {
  expect(["abc", "日本", "é", "e\u0301", "🎉", ""].map(displayWidth)).toEqual([3, 4, 1, 1, 2, 0]);
  const rows = [
    { name: "日本", about: "x" },
    { name: "abcdef", about: "y" },
  ];
  const columns = [
    ["NAME", "name"],
    ["ABOUT", "about"],
  ] as const;
  expect(formatTable(rows, columns)).toBe("NAME    ABOUT\n日本    x\nabcdef  y");
});

it("shows sizes, numbers, seconds and times with units", () => {
  expect([0, 999, 1000, 1_500_000_000, undefined].map(formatBytes)).toEqual(["0 B", "999 B", "1.0 KB", "1.5 GB", ""]);
  expect([counted(1, "ref"), counted(3290, "ref")]).toEqual(["1 ref", "3,290 refs"]);
  expect([0, 1, 90, 900, 3600, 172_800].map(formatSeconds)).toEqual([
    "0 seconds",
    "1 second",
    "90 seconds",
    "15 minutes",
    "1 hour",
    "2 days",
  ]);
  const now = Date.parse("2026-01-31T12:00:00Z");
  const shown = ["2026-01-31T12:00:00Z", "2026-01-31T10:59:00.000Z", "2026-03-02T12:00:00Z", "never", null];
  expect(shown.map((time) => formatTime(time, now))).toEqual(["now", "1 hour ago", "in 30 days", "never", ""]);
  // What was made for 30 days a moment ago.
  expect(formatTime(new Date(now + 30 * 86_400_000 - 1500).toISOString(), now)).toBe("in 30 days");
});
