/**
 * What a service of tests knows of its repository as it tells its capabilities.
 *
 * @packageDocumentation
 */
import type { CapabilityContext } from "../../src/wire/capabilities.ts";

/** A repository of SHA-1 with a branch that HEAD names, asked by HTTP. */
export const CONTEXT: CapabilityContext = {
  objectFormat: "sha1",
  agent: "thinpack/1",
  stateless: true,
  symrefs: [{ name: "HEAD", target: "refs/heads/main" }],
  sessionId: "s1",
};
