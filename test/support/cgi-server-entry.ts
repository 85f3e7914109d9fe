/**
 * C git's server as a small process, which ends with the test's: see `startCgiApart`.
 *
 * @packageDocumentation
 */
import { type CgiOptions, startCgiServer } from "./cgi-server.ts";

process.on("disconnect", () => process.exit());
process.on("message", (options: CgiOptions) => {
  void startCgiServer(options).then(({ base }) => process.send?.(base));
});
