/** The Worker's main file. */
export const WORKER_ENTRY: string;
/** The file that the platform is given. */
export const WORKER_FILE: string;
/** What esbuild tells of the bundle's parts. */
export const PARTS_FILE: string;
/** Bundles the Worker, and writes the source map to a file. */
export function bundleWorker(entry: string, mapFile: string): Promise<string>;
/** Makes what the platform is given where it is missing or older than its sources. */
export function buildWorker(): Promise<void>;
/** The module of what pages load, for hosts on this machine. */
export const RENDERING_FILE: string;
/** Bundles what pages load where that is missing or older than its sources. */
export function buildRendering(): Promise<void>;
