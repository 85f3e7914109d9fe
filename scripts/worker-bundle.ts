/** Bundles the Worker as one module, for hosts on this machine. */
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin, stop as stopEsbuild } from "esbuild";
import { readWranglerConfig } from "./wrangler-config.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const config = readWranglerConfig();

/** The Worker's main file. */
export const WORKER_ENTRY = join(root, config.main);

/** Leaves the kernel out of the bundle: workerd takes it as a compiled module. */
const kernelPlugin: Plugin = {
  name: "kernel",
  setup: (bundler) => {
    bundler.onResolve({ filter: /kernel\.wasm$/ }, () => ({ path: "./kernel.wasm", external: true }));
  },
};

/**
 * Bundles the Worker as wrangler does with the settings in `wrangler.toml`. The map goes to a file. Within the bundle
 * it would be four fifths of it, and count against the isolate's memory like all source text.
 */
export async function bundleWorker(entry: string, mapFile: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    outfile: join(root, "build", "worker.js"),
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["node:*", "cloudflare:*"],
    sourcemap: "external",
    plugins: [kernelPlugin],
    logLevel: "error",
  });
  // Its process would stay, and be counted as the server's.
  await stopEsbuild();
  const [map, bundle] = outputFiles;
  if (map === undefined || bundle === undefined) throw new Error("esbuild made nothing");
  writeFileSync(mapFile, map.contents);
  return `${bundle.text}//# sourceMappingURL=${mapFile}\n`;
}
