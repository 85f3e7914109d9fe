/**
 * `--help` of a script, and what is said of arguments that it does not know.
 *
 * @packageDocumentation
 */
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";

/** Whether the usage is asked for. */
export function asksForHelp(args: readonly string[]): boolean {
  return args.includes("--help") || args.includes("-h");
}

/** Reads the options of a script; prints its usage and ends where that is asked for, or where an option is unknown. */
export function optionsOrUsage<T extends ParseArgsOptionsConfig>(
  usage: string,
  options: T,
): ReturnType<typeof parseArgs<{ options: T }>>["values"] {
  if (asksForHelp(process.argv.slice(2))) {
    console.log(usage);
    process.exit(0);
  }
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(2);
  }
}
