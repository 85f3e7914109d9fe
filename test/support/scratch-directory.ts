/**
 * One directory for everything that a run's tests write: repositories, homes, states of hosts. It lies in memory where there is
 * room. To make and remove small files is a third of the processor time of a journey on a file system of a disk.
 *
 * @packageDocumentation
 */
import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MEMORY = "/dev/shm";
const PREFIX = "thinpack-tests-";
const GIB = 2 ** 30;
/** What has to be free for a run to write into memory. A run of everything holds some hundred MB at a time. */
const LEAST_ROOM = 4 * GIB;
const LEAST_MEMORY = 6 * GIB;
/** Tells the setups of a run's projects that there is a directory. */
const CHOSEN = "THINPACK_TEST_SCRATCH";

/** Whether scratch files may lie in memory: Linux with a large tmpfs and memory to spare. */
function hasRoomInMemory(): boolean {
  if (!existsSync(MEMORY) || process.availableMemory() < LEAST_MEMORY) return false;
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize >= LEAST_ROOM;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Removes what runs that were killed have left. */
function sweep(parent: string): void {
  for (const name of readdirSync(parent).filter((entry) => entry.startsWith(PREFIX))) {
    if (!isRunning(Number(name.slice(PREFIX.length)))) rmSync(join(parent, name), { recursive: true, force: true });
  }
}

/** Returns this run's directory, which also is its `TMPDIR`. A `TMPDIR` that the caller has set says where it lies. */
export function scratchDirectory(): string {
  const chosen = process.env[CHOSEN];
  if (chosen !== undefined) return chosen;
  const parent = process.env["TMPDIR"] === undefined && hasRoomInMemory() ? MEMORY : tmpdir();
  sweep(parent);
  const directory = join(parent, `${PREFIX}${process.pid}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  process.env[CHOSEN] = directory;
  process.env["TMPDIR"] = directory;
  return directory;
}

/** Vitest's hook: chooses the directory before any test file is a process, and gives its removal. */
export function setup(): () => void {
  const directory = scratchDirectory();
  return () => rmSync(directory, { recursive: true, force: true });
}
