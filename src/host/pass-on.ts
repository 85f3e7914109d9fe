/**
 * Passes on what the isolate has counted, some seconds after it was counted. What an isolate has counted in its last
 * seconds is lost if the platform ends it.
 *
 * @packageDocumentation
 */
import { waitUntil } from "cloudflare:workers";
import { passOnUsage } from "../cloudflare/usage-sink.ts";
import type { Env } from "../env.ts";
import { logFault } from "../http/log.ts";
import type { Meter } from "./meter.ts";

/** How long counts are collected, in milliseconds. The platform lets work go on for 30 seconds behind an answer. */
const INTERVAL = 20_000;

/** Passes on what was counted so far. */
export async function passOn(env: Env, meter: Meter): Promise<void> {
  try {
    await passOnUsage(env, meter.take());
  } catch (error) {
    logFault("usage", error);
  }
}

/** Passes on what was counted, after a while or when it has become much. The work does not belong to the request. */
export function passOnLater(env: Env, meter: Meter): void {
  if (meter.isFull) waitUntil(passOn(env, meter));
  else if (meter.promise()) waitUntil(scheduler.wait(INTERVAL).then(() => passOn(env, meter)));
}
