/**
 * The ends of the command: its failures and exit codes.
 *
 * @packageDocumentation
 */

/** The exit codes, which `--help` lists. */
export const EXIT = { failed: 1, usage: 2, notLetIn: 3, notFound: 4 } as const;

/** Ends the command with a message. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  readonly exitCode: number;
  constructor(message: string, exitCode: number = EXIT.failed, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Words of the API in the host's refusals, and the command's own words for the same. */
const WORDS: readonly (readonly [api: string, command: string])[] = [
  ["PATCH changes what exists.", "The command `set` changes what exists."],
  ["allow_empty makes", "--allow-empty makes"],
];

/** Returns a refusal in the words of somebody who sends no request by hand. */
function inCommandWords(detail: string): string {
  return WORDS.reduce((text, [api, command]) => text.replace(api, command), detail);
}

/** The host's refusal. */
export class HostRefusal extends CommandFailure {
  readonly status: number;
  /** What the host said, in the words of the API. */
  readonly detail: string;
  constructor(status: number, detail: string) {
    const exitCode = status === 401 || status === 403 ? EXIT.notLetIn : status === 404 ? EXIT.notFound : EXIT.failed;
    super(inCommandWords(detail), exitCode);
    this.status = status;
    this.detail = detail;
  }
}

/** Whether the host refuses one thing for what that is: others may be taken. */
export function isRefusalOfOne(error: unknown): error is HostRefusal {
  return error instanceof HostRefusal && [404, 409, 422].includes(error.status);
}

/** Returns a caught value as an error. */
export function errorOf(caught: unknown): Error {
  return caught instanceof Error ? caught : new CommandFailure(String(caught));
}
