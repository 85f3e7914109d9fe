/** The Worker's main file. */
export const WORKER_ENTRY: string;
/** The file that the platform is given. */
export const WORKER_FILE: string;
/** What esbuild tells of the bundle's parts. */
export const PARTS_FILE: string;
/** Returns a digest of all that a bundle is made from. */
export function sourcesDigest(directory?: string): string;
/** Bundles the Worker into a directory that is there. Returns what esbuild tells of its parts. */
export function bundleWorker(entry: string, directory: string): Promise<unknown>;
/** Makes what the platform is given where it is missing or older than its sources. */
export function buildWorker(): Promise<void>;
