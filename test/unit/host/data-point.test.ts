/** The data points of Analytics Engine: the columns that the page for operators names, within the platform's bounds. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { dataPointOf } from "../../../src/host/data-point.ts";
import type { RequestLine } from "../../../src/http/log.ts";

const LINE: RequestLine = {
  at: "2026-11-01T12:00:00.000Z",
  tenant: "acme",
  repo: "widgets",
  operation: "clone",
  outcome: "ok",
  principal: "token:ab",
  client: "git/2.39.5",
  method: "POST",
  path: "/acme/widgets.git/git-upload-pack",
  sid: "5e",
  in: 1,
  out: 2,
  ms: 3,
  status: 200,
  r2r: 4,
  r2w: 5,
  r2b: 6,
  do: 7,
  kv: 8,
  rt: 9,
  wasm: 10,
};

it("has the documented columns, in their order", () => {
  expect(dataPointOf(LINE)).toEqual({
    indexes: ["acme"],
    blobs: ["acme", "widgets", "clone", "ok", "token:ab", "git/2.39.5", "POST"],
    doubles: [1, 2, 3, 200, 4, 5, 6, 7, 8, 9],
  });
  const page = readFileSync("docs/operating.md", "utf8").replaceAll(/\s+/g, " ");
  expect(page).toContain("blobs tenant, repository, operation, outcome, principal, client, method;");
  expect(page).toContain("doubles bytes in, bytes out, ms, status, and `r2r`, `r2w`, `r2b`, `do`, `kv`, `rt`.");
});

it("has an empty tenant and repository for a request without", () => {
  const { tenant: _tenant, repo: _repo, ...line } = LINE;
  expect(dataPointOf(line)).toMatchObject({
    indexes: [""],
    blobs: ["", "", "clone", "ok", "token:ab", "git/2.39.5", "POST"],
  });
});

it("stays within the platform's 96 bytes of an index and 16 KiB of blobs, whatever a client says", () => {
  const long = "a".repeat(100);
  const { indexes = [], blobs = [] } = dataPointOf({ ...LINE, tenant: long, repo: long, client: "c".repeat(200) });
  expect(indexes).toEqual(["a".repeat(96)]);
  expect(blobs[0]).toBe(long);
  expect(JSON.stringify(blobs).length).toBeLessThan(16_384);
});
