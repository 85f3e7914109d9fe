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

/** The host's refusal. */
export class HostRefusal extends CommandFailure {
  readonly status: number;
  constructor(status: number, detail: string) {
    const exitCode = status === 401 || status === 403 ? EXIT.notLetIn : status === 404 ? EXIT.notFound : EXIT.failed;
    super(detail, exitCode);
    this.status = status;
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
