/** The platform's recovery, on a platform that is played: the local one has none. */
import { describe, expect, it } from "vitest";
import { PAST_TIME, type PointInTime, recoverTo } from "../../../../src/durable/sql/point-in-time.ts";

const NOW = Date.UTC(2026, 0, 31);

/** A platform that notes what it is asked for. */
class Platform implements PointInTime {
  readonly asked: string[] = [];
  async getBookmarkForTime(at: number | Date): Promise<string> {
    this.asked.push(`bookmark of ${Number(at)}`);
    return `at ${Number(at)}`;
  }
  async onNextSessionRestoreBookmark(bookmark: string): Promise<string> {
    this.asked.push(`restore ${bookmark}`);
    return "the present";
  }
}

describe("a recovery", () => {
  it("has the next life of the object begin at a bookmark of that time, and tells the way back", async () => {
    const platform = new Platform();
    expect(await recoverTo(platform, NOW - 1000, NOW)).toEqual({ kind: "recovered", undo: "the present" });
    expect(platform.asked).toEqual([`bookmark of ${NOW - 1000}`, `restore at ${NOW - 1000}`]);
  });

  it.each([
    ["the future", NOW + 1],
    ["more than 30 days ago", NOW - PAST_TIME - 1],
  ])("to %s is refused, and asks nothing", async (_, at) => {
    const platform = new Platform();
    expect((await recoverTo(platform, at, NOW)).kind).toBe("refused");
    expect(platform.asked).toEqual([]);
  });

  it("is unsupported where the platform says so, and fails where it fails", async () => {
    const failing = (message: string): PointInTime => ({
      getBookmarkForTime: async () => {
        throw new Error(message);
      },
      onNextSessionRestoreBookmark: async () => "",
    });
    const none = failing("This Durable Object's storage back-end does not implement point-in-time recovery.");
    expect((await recoverTo(none, NOW - 1, NOW)).kind).toBe("unsupported");
    await expect(recoverTo(failing("overloaded"), NOW - 1, NOW)).rejects.toThrow("overloaded");
  });
});
