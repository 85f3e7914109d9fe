/**
 * A request as a data point of Analytics Engine, where the operator has bound it.
 *
 * @packageDocumentation
 */
import type { RequestLine } from "../http/log.ts";

/** The most bytes of an index. Names of tenants may be a little longer; they are ASCII. */
const MOST_INDEX_BYTES = 96;

/** Returns the data point of a request. `docs/operating.md` names its columns. */
export function dataPointOf(line: RequestLine): AnalyticsEngineDataPoint {
  const { tenant = "", repo = "", operation, outcome, principal, client, method } = line;
  const { in: received, out: sent, ms, status, r2r, r2w, r2b, do: calls, kv, rt } = line;
  return {
    indexes: [tenant.slice(0, MOST_INDEX_BYTES)],
    blobs: [tenant, repo, operation, outcome, principal, client, method],
    doubles: [received, sent, ms, status, r2r, r2w, r2b, calls, kv, rt],
  };
}
