// When files were changed: what builds only what is older than its sources asks. Plain JavaScript: wrangler runs it on the system's Node.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Gives when a file, or the newest file below a directory, was changed, in milliseconds. It throws where there is none. */
export function changedAt(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => changedAt(join(path, name))));
}

/** Gives when a file was built, in milliseconds; 0 where it was not. */
export function builtAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
