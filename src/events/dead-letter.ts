/**
 * Jobs that failed in all their tries. The queue gives them up, and they are kept for the operator, who may have them tried again.
 *
 * @packageDocumentation
 */
import type { Page } from "../access/token-store.ts";
import type { Job } from "./job.ts";

/** A job that was given up, once or several times. Times are in milliseconds since the epoch. */
export type DeadLetter = {
  readonly id: number;
  readonly job: Job;
  /** How often it was given up. */
  readonly times: number;
  readonly firstAt: number;
  readonly lastAt: number;
};

/** A place in the list: the letters behind it are older. */
export type DeadLetterPlace = Pick<DeadLetter, "id" | "lastAt">;

/** A part of the list, those given up last first, and how many there are of each type of job. */
export type DeadLetterPage = Page<DeadLetter> & { readonly counts: Readonly<Record<string, number>> };

/** The letters that are kept. */
export interface DeadLetters {
  list(query: { readonly after?: DeadLetterPlace; readonly limit: number }): Promise<DeadLetterPage>;
  /** Sends the job to its queue again, and forgets the letter. Returns whether there was one. */
  redeliver(id: number): Promise<boolean>;
  /** Forgets the letter. Returns whether there was one. */
  remove(id: number): Promise<boolean>;
}
