/**
 * Shows the progress of long work on standard error, only on a terminal.
 *
 * @packageDocumentation
 */
import { SingleBar } from "cli-progress";
import { formatBytes } from "./output.ts";

/** Milliseconds between two states of a spinner. */
const TURN = 150;
const FRAMES = ["|", "/", "-", "\\"];

/** A bar for bytes. It shows nothing if standard error is no terminal. */
export class ByteBar {
  readonly #bar: SingleBar;
  #bytes = 0;

  /** `done` of the bytes are there already. */
  constructor(title: string, total: number, done = 0) {
    this.#bytes = done;
    this.#bar = new SingleBar({
      stream: process.stderr,
      noTTYOutput: false,
      clearOnComplete: true,
      hideCursor: true,
      format: `${title} {bar} {percentage}%  {done} of {all}  {eta_formatted} left`,
    });
    if (process.stderr.isTTY) this.#bar.start(total, done, { done: formatBytes(done), all: formatBytes(total) });
  }

  /** Adds to the bytes done; a negative number if some have to be done again. */
  add(bytes: number): void {
    this.#bytes += bytes;
    this.#bar.update(this.#bytes, { done: formatBytes(this.#bytes) });
  }

  /** Takes the bar away. */
  stop(): void {
    this.#bar.stop();
  }
}

/** Shows a spinner while `work` runs; `say` changes its text. */
export async function withSpinner<T>(text: string, work: (say: (text: string) => void) => Promise<T>): Promise<T> {
  if (!process.stderr.isTTY) return await work(() => undefined);
  let shown = text;
  let turn = 0;
  const timer = setInterval(() => {
    turn += 1;
    process.stderr.write(`\r\u001B[K${FRAMES[turn % FRAMES.length] ?? ""} ${shown}`);
  }, TURN);
  try {
    return await work((said) => void (shown = said));
  } finally {
    clearInterval(timer);
    process.stderr.write("\r\u001B[K");
  }
}
