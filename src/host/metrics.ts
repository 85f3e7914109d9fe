/**
 * The deployment's counters for a monitor.
 *
 * @packageDocumentation
 */
import { readCounters } from "../cloudflare/usage-sink.ts";
import type { Env } from "../env.ts";
import { readCredentials } from "../http/authenticate.ts";
import { problemResponse } from "../http/problem.ts";
import type { Meter } from "./meter.ts";
import { formatMetrics } from "./metrics-format.ts";
import { passOn } from "./pass-on.ts";

/** Answers the operator's monitor. */
export async function metricsPage(request: Request, env: Env, { meter, version }: { meter: Meter; version: string }) {
  const header = request.headers.get("Authorization") ?? undefined;
  if (readCredentials(header, env.ADMIN_TOKEN).kind !== "operator") {
    return problemResponse(401, "The counters take the operator's token.");
  }
  await passOn(env, meter);
  return new Response(formatMetrics(await readCounters(env), version), {
    headers: { "Content-Type": "text/plain; version=0.0.4; charset=utf-8", "Cache-Control": "no-store" },
  });
}
