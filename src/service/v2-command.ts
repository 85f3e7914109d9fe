/**
 * The input of a version 2 command.
 *
 * @packageDocumentation
 */
import type { CapabilityContext } from "../wire/capabilities.ts";
import type { ServiceCall } from "./failure.ts";
import type { LineParser } from "./request-reader.ts";

/** A command whose name was read, and whose arguments were not. */
export type CommandCall = ServiceCall & {
  /** The capabilities that were offered, with the client's object format. */
  readonly context: CapabilityContext;
  /** Whether the client fetches later what is left out because of the repository's `offloadFrom`. */
  readonly acceptsPromisor: boolean;
  /** Feeds the command's arguments to their parser. Must be called once, and first. */
  readArguments(parser: LineParser): Promise<void>;
};
