/**
 * Cleans up before the command ends, also if a signal ends it: temporary files are removed, and child processes are ended.
 *
 * @packageDocumentation
 */

/** Signals that end the command, with their numbers: a shell expects 128 and the number as the exit code. */
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

type Ending = () => void | Promise<void>;

const endings = new Set<Ending>();
let listens = false;

function listen(): void {
  if (listens) return;
  listens = true;
  for (const [signal, number] of Object.entries(SIGNALS)) {
    process.once(signal, () => {
      void runEndings().finally(() => process.exit(128 + number));
    });
  }
}

/** Runs the endings, the last one first: a process ends before the directory that it works in is removed. */
async function runEndings(): Promise<void> {
  for (const end of [...endings].toReversed()) {
    try {
      await end();
    } catch {
      // The others have to be ended all the same, and nobody is left to hear of it.
    }
  }
}

/** Does `work`. `end` is called when it is over, however that comes: done, failed, or ended by a signal. */
export async function endingWith<T>(end: Ending, work: () => Promise<T>): Promise<T> {
  listen();
  endings.add(end);
  try {
    return await work();
  } finally {
    endings.delete(end);
    await end();
  }
}
