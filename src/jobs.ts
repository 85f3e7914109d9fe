/**
 * What the queue's consumer needs. It is loaded when the first job comes: no request runs any of it.
 *
 * @packageDocumentation
 */
export { pushedCommits } from "./browse/pushed-commits.ts";
export { runJobs } from "./cloudflare/job-queue.ts";
