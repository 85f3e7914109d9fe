/**
 * What a version 2 command is run with.
 *
 * @packageDocumentation
 */
import type { CapabilityContext } from "../wire/capabilities.ts";
import type { ServiceCall } from "./failure.ts";
import type { LineParser } from "./request-reader.ts";

/** A command under way: its name was read, its arguments were not. */
export type CommandCall = ServiceCall & {
  /** What was offered; the object format is the client's. */
  readonly context: CapabilityContext;
  /** Feeds the command's arguments to its parser. Call once, first. */
  readArguments(parser: LineParser): Promise<void>;
};
