/**
 * Pushes a history commit by commit, over HTTP and without a git process for each push: what two years of work leave behind
 * in a minute.
 *
 * @packageDocumentation
 */
import { spawn } from "node:child_process";
import { ZERO, post, pushBody, reportLines } from "./git-raw.ts";

/** Makes the pack that a push from `before` to `tip` brings: a thin one, or one without deltas. */
async function packOf(
  { cwd, hasDeltas = true }: Pick<SinglePushes, "cwd" | "hasDeltas">,
  tip: string,
  before: string | undefined,
): Promise<Buffer> {
  const how = hasDeltas ? ["--thin"] : ["--window=0", "--no-reuse-delta"];
  const child = spawn("git", ["pack-objects", ...how, "--revs", "--delta-base-offset", "--stdout", "-q"], {
    cwd,
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.end(before === undefined ? `${tip}\n` : `${tip}\n^${before}\n`);
  const pieces: Buffer[] = [];
  for await (const piece of child.stdout) pieces.push(Buffer.from(piece as Uint8Array));
  return Buffer.concat(pieces);
}

/** What is pushed. */
type SinglePushes = {
  readonly cwd: string;
  readonly commits: readonly string[];
  /** Whether packs have deltas, as git makes them; some clients make none. */
  readonly hasDeltas?: boolean;
};

/**
 * Pushes each of `commits`, oldest first, to a branch that does not exist yet. Calls `pushed` after each. Returns the bytes
 * of all packs.
 */
export async function pushSingly(
  url: string,
  pushes: SinglePushes,
  pushed: (index: number) => Promise<void> = async () => undefined,
): Promise<number> {
  let before: string | undefined;
  let bytes = 0;
  for (const [index, tip] of pushes.commits.entries()) {
    const pack = await packOf(pushes, tip, before);
    bytes += pack.length;
    const body = pushBody([{ name: "refs/heads/main", old: before ?? ZERO, new: tip }], pack);
    const answer = await post(url, "receive-pack", body);
    const report = reportLines(answer.body).join(", ");
    if (report !== "unpack ok, ok refs/heads/main") throw new Error(`push ${index}: ${answer.status} ${report}`);
    before = tip;
    await pushed(index);
  }
  return bytes;
}
