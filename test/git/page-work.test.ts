/**
 * Pages whose contents take long to compute.
 *
 * @packageDocumentation
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { apiClient } from "../support/api-client.ts";
import { startTestHost } from "../support/host.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

const FILES = 10;
const LINES = 60_000;

/** Lines of few kinds in an order that has no pattern: the same for the same seed. */
function mixedLines(seed: number): string {
  let state = seed;
  let text = "";
  for (let line = 0; line < LINES; line++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    text += `${"abcdefgh".charAt(state >>> 29)}\n`;
  }
  return text;
}

let host: RunningHost;

beforeAll(async () => {
  host = await startTestHost();
  const operator = apiClient(host.base, "test-token");
  await operator("PUT", "/repos/acme/mixed", { visibility: "public" });
  for (const seed of [1, 2]) {
    const content = mixedLines(seed);
    const actions = Array.from({ length: FILES }, (_, at) => ({ action: "upsert", path: `file${at}`, content }));
    const first = seed === 1 ? { expected_head: null } : {};
    await operator("POST", "/repos/acme/mixed/commits", { branch: "main", message: "mixed", actions, ...first });
  }
}, WAIT_LIMIT);

afterAll(async () => {
  await host.stop();
});

describe("the page of a commit", () => {
  it("ends with a note where its files take long to compare, and names them all", { timeout: WAIT_LIMIT }, async () => {
    const answer = await fetch(`${host.base}/acme/mixed/commit/main`);
    const html = await answer.text();
    expect(answer.status).toBe(200);
    expect(html).toContain("The other files are left out here.");
    expect(html).toMatch(/<\/html>\s*$/);
    for (let at = 1; at <= FILES; at++) expect(html).toContain(`href="#file-${at}"`);
    expect(html).toContain('id="file-1"');
    expect(html).not.toContain(`id="file-${FILES}"`);
  });
});
