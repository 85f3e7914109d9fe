/** Bundles the command, and the helper beside it, where they are missing or older than their sources. */
export function buildCommand(): Promise<void>;
