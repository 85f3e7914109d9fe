/** What an isolate counts before it passes it on. */
import { expect, it } from "vitest";
import { Meter } from "../../../src/host/meter.ts";
import type { RequestLine } from "../../../src/http/log.ts";
import { formatMetrics } from "../../../src/host/metrics-format.ts";

const LINE: RequestLine = {
  at: "2026-01-31T12:00:00.000Z",
  method: "POST",
  path: "/acme/widgets.git/git-upload-pack",
  status: 200,
  sid: "0",
  tenant: "acme",
  repo: "widgets",
  principal: "anonymous",
  client: "git/2.39.5",
  operation: "clone",
  outcome: "ok",
  in: 100,
  out: 2000,
  ms: 500,
  r2r: 3,
  r2w: 0,
  r2b: 4000,
  do: 2,
  kv: 0,
  rt: 4,
  wasm: 0,
};
const DAY = Date.parse("2026-01-31") / 86_400_000;

it("adds up what one repository was used for on one day", () => {
  const meter = new Meter();
  meter.request(LINE, "acme");
  meter.request({ ...LINE, operation: "fetch", in: 1, out: 2, ms: 3 }, "acme");
  meter.request({ ...LINE, repo: "other", at: "2026-02-01T00:00:00.000Z", operation: "push" }, "acme");
  meter.request(LINE, undefined);
  const none = { requests: 1, clones: 0, fetches: 0, pushes: 0, bytesIn: 100, bytesOut: 2000, ms: 500 };
  expect([...meter.take().tenants]).toEqual([
    [
      "acme",
      [
        {
          ...none,
          day: DAY,
          repo: "widgets",
          requests: 2,
          clones: 1,
          fetches: 1,
          bytesIn: 101,
          bytesOut: 2002,
          ms: 503,
        },
        { ...none, day: DAY + 1, repo: "other", pushes: 1 },
      ],
    ],
  ]);
  expect(meter.take()).toEqual({ tenants: new Map(), metrics: {} });
});

it("counts for the deployment what counts for no tenant", () => {
  const meter = new Meter();
  meter.request({ ...LINE, operation: "git", outcome: "denied", out: 0 }, undefined);
  meter.request(LINE, "acme");
  meter.job({ job: "mirror-sync", done: false, ms: 2500 });
  const text = formatMetrics(meter.take().metrics, "1.2.3");
  expect(text.split("\n").filter((line) => !line.startsWith("#"))).toEqual([
    'thinpack_build_info{version="1.2.3"} 1',
    'thinpack_requests_total{operation="clone",outcome="ok"} 1',
    'thinpack_requests_total{operation="git",outcome="denied"} 1',
    'thinpack_request_seconds_total{operation="clone"} 0.5',
    'thinpack_request_seconds_total{operation="git"} 0.5',
    'thinpack_received_bytes_total{operation="clone"} 100',
    'thinpack_received_bytes_total{operation="git"} 100',
    'thinpack_sent_bytes_total{operation="clone"} 2000',
    "thinpack_r2_read_bytes_total 8000",
    'thinpack_storage_operations_total{kind="durable_object"} 4',
    'thinpack_storage_operations_total{kind="r2_read"} 6',
    'thinpack_jobs_total{job="mirror-sync",outcome="failed"} 1',
    'thinpack_job_seconds_total{job="mirror-sync"} 2.5',
    "",
  ]);
});

it("is promised to be passed on once, and again after that", () => {
  const meter = new Meter();
  expect([meter.promise(), meter.promise()]).toEqual([true, false]);
  meter.take();
  expect(meter.promise()).toBe(true);
});

it("is full when names come without end", () => {
  const meter = new Meter();
  for (let at = 0; at < 999; at++) meter.request({ ...LINE, repo: `r${at}` }, "acme");
  expect(meter.isFull).toBe(false);
  meter.request({ ...LINE, repo: "one-more" }, "acme");
  expect(meter.isFull).toBe(true);
});
