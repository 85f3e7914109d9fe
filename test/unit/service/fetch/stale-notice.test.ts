import { describe, expect, it } from "vitest";
import type { RepositoryRecord } from "../../../../src/refs/ref-store.ts";
import { staleNotice } from "../../../../src/service/fetch/stale-notice.ts";

const HOUR = 3_600_000;

function record(mirror?: RepositoryRecord["mirror"]): RepositoryRecord {
  return {
    id: "id",
    objectFormat: "sha1",
    visibility: "public",
    head: "refs/heads/main",
    description: "",
    readOnly: true,
    rules: [],
    createdAt: 0,
    sizeBytes: 0,
    ...(mirror === undefined ? {} : { mirror }),
  };
}

describe("the notice about a stale mirror", () => {
  it("warns about a mirror that was not in step for longer than its interval", () => {
    const mirror = { upstream: "https://example.com/a.git", interval: 3600, syncedAt: 0 };
    expect(staleNotice(record(mirror), HOUR)).toBeUndefined();
    expect(staleNotice(record(mirror), 1.5 * HOUR)).toMatch(/last in step with its upstream 90 minutes ago/);
    expect(staleNotice(record(mirror), 5 * HOUR)).toMatch(/5 hours ago/);
    expect(staleNotice(record(mirror), 75 * HOUR)).toMatch(/3 days ago/);
  });

  it("is absent for other repositories, and for mirrors that are synced on request only", () => {
    expect(staleNotice(record(), HOUR)).toBeUndefined();
    const mirror = { upstream: "https://example.com/a.git", interval: 0, syncedAt: 0 };
    expect(staleNotice(record(mirror), 1000 * HOUR)).toBeUndefined();
  });
});
