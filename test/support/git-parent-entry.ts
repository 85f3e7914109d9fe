/**
 * A small process that runs git for a test's process, and ends with it: see `git-parent.ts`.
 *
 * @packageDocumentation
 */
import { type GitRun, runGit } from "./git-run.ts";

process.on("disconnect", () => process.exit());
process.on("message", ({ id, run }: { readonly id: number; readonly run: GitRun }) => {
  runGit(run).then(
    (ran) => process.send?.({ id, ran }),
    (error: unknown) => process.send?.({ id, failed: String(error) }),
  );
});
