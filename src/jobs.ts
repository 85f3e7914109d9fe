/**
 * What the queues' consumers need. It is loaded when the first job comes: no request runs any of it.
 *
 * @packageDocumentation
 */
export { pushedCommits } from "./browse/pushed-commits.ts";
export { keepDeadLetters } from "./cloudflare/dead-letters.ts";
export { runJobs } from "./cloudflare/job-queue.ts";
