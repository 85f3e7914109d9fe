/** What `scripts/worker-bundle.mjs` writes into a bundle: a digest of its sources. */
declare const SOURCES_DIGEST: string;
