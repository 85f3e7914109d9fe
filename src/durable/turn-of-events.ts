/**
 * The pause of an object that computes: other requests to it, and to others of its isolate, run meanwhile.
 *
 * @packageDocumentation
 */
import type { Pause } from "../bytes/pacer.ts";

/** Waits for a later turn of the event loop. */
export const turnOfEvents: Pause = async () => await new Promise((resolve) => setTimeout(resolve, 0));
