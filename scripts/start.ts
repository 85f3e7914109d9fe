/**
 * `npm start`: the whole host on this machine. Environment: `PORT`, `STATE_DIR`, `ADMIN_TOKEN`, `INSPECTOR_PORT`,
 * `ALLOW_PRIVATE_UPSTREAMS=1`, `ALLOWED_ORIGINS`, `MIRROR_LEAST_INTERVAL`,
 * `MIRROR_SLICE_OBJECTS`. `WORKER_BUNDLE`, which tests set, names a file with the Worker's bundle: nothing is built then.
 */
import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startHost } from "./host.ts";

const scripts = dirname(fileURLToPath(import.meta.url));

/** Gives a port from the environment. */
function portFrom(name: string): number | undefined {
  const text = process.env[name];
  if (text === undefined || text === "") return undefined;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new RangeError(`${name}=${text} is no port`);
  return port;
}

const bundleFile = process.env["WORKER_BUNDLE"];
if (bundleFile === undefined) {
  execFileSync(process.execPath, [join(scripts, "build-kernel.ts")], { stdio: ["ignore", "ignore", "inherit"] });
}
const inspectorPort = portFrom("INSPECTOR_PORT");
const leastMirrorInterval = process.env["MIRROR_LEAST_INTERVAL"];
const allowedOrigins = process.env["ALLOWED_ORIGINS"];
const mirrorSliceObjects = process.env["MIRROR_SLICE_OBJECTS"];
const host = await startHost({
  port: portFrom("PORT") ?? 8787,
  stateDir: process.env["STATE_DIR"] ?? ".thinpack",
  ...(process.env["ADMIN_TOKEN"] === undefined ? {} : { adminToken: process.env["ADMIN_TOKEN"] }),
  ...(inspectorPort === undefined ? {} : { inspectorPort }),
  allowPrivateUpstreams: process.env["ALLOW_PRIVATE_UPSTREAMS"] === "1",
  ...(allowedOrigins === undefined ? {} : { allowedOrigins }),
  ...(leastMirrorInterval === undefined ? {} : { leastMirrorInterval }),
  ...(mirrorSliceObjects === undefined ? {} : { mirrorSliceObjects }),
  ...(bundleFile === undefined ? {} : { bundleFile }),
});

let stopping = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  // Miniflare has a listener of its own, which ends the process before the host has stopped.
  process.removeAllListeners(signal);
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    void host.stop().finally(() => process.exit(0));
  });
}

if (inspectorPort !== undefined) console.log(`inspector ${await host.inspector()}`);
console.log(`ready ${host.base}`);
console.log(`the operator's token: ${host.token}`);
console.log("push something:");
console.log(`  git push ${host.base.replace("://", `://x:${host.token}@`)}/me/project.git HEAD:refs/heads/main`);
