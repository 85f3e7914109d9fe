/**
 * The deep health check: asks each kind of storage once, so that an operator's monitor sees a bucket that is gone.
 *
 * @packageDocumentation
 */
import { readCredentials } from "./authenticate.ts";
import { logFault } from "./log.ts";
import { problemResponse } from "./problem.ts";

/** How long an answer of a storage is waited for, in milliseconds. */
const PATIENCE = 10_000;

/** What the check needs. */
export type HealthCheck = {
  /** The release. */
  readonly version: string;
  readonly adminToken: string | undefined;
  /** A question for each kind of storage, which throws if it is not answered. */
  readonly storages: Readonly<Record<string, () => Promise<void>>>;
};

/**
 * Waits for an answer for some time.
 *
 * @throws Error if none comes.
 */
async function inTime(answer: Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE} ms`)), PATIENCE);
  try {
    await Promise.race([answer, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether a storage answers. */
async function isWell(name: string, ask: () => Promise<void>): Promise<boolean> {
  try {
    await inTime(ask());
    return true;
  } catch (error) {
    logFault(`health of ${name}`, error);
    return false;
  }
}

/** Answers the operator's deep check: 200 if every storage answers, else 503. */
export async function deepHealth(request: Request, { version, adminToken, storages }: HealthCheck): Promise<Response> {
  const header = request.headers.get("Authorization") ?? undefined;
  if (readCredentials(header, adminToken).kind !== "operator") {
    return problemResponse(401, "The deep check takes the operator's token.");
  }
  const asked = Object.entries(storages).map(async ([name, ask]) => [name, await isWell(name, ask)] as const);
  const checks = Object.fromEntries(await Promise.all(asked));
  const ok = Object.values(checks).every(Boolean);
  return Response.json({ ok, version, checks }, { status: ok ? 200 : 503, headers: { "Cache-Control": "no-store" } });
}
