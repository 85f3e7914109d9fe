/**
 * C git's server as a process of its own, so that the client and the server do not share an event loop. Arguments: directory and
 * token. Prints `ready {base}`; answers each line on standard input with the processor seconds so far, once it is idle.
 *
 * @packageDocumentation
 */
import { createInterface } from "node:readline";
import { startCgiServer } from "../../test/support/cgi-server.ts";

const [root = "", token = ""] = process.argv.slice(2);
const server = await startCgiServer({ root, token, isTimed: true });
console.log(`ready ${server.base}`);
for await (const line of createInterface({ input: process.stdin })) {
  await server.idle();
  if (line === "cpu") console.log(`cpu ${server.cpuSeconds()}`);
}
await server.close();
