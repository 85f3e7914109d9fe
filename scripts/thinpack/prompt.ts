/**
 * Questions to people, on standard error: standard output is for the answer.
 *
 * @packageDocumentation
 */
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

/** Asks, and returns the line that is typed. A secret is not shown while it is typed. */
export async function askPeople(question: string, secret = false): Promise<string> {
  let muted = false;
  const output = new Writable({
    write: (piece: Buffer, _encoding, done) => {
      if (!muted) process.stderr.write(piece);
      done();
    },
  });
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  try {
    const answer = lines.question(question);
    muted = secret;
    return (await answer).trim();
  } finally {
    lines.close();
    if (secret) process.stderr.write("\n");
  }
}

/** Reads all of standard input. */
export async function readInput(): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of process.stdin) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces).toString("utf8");
}

/** Reads a secret from standard input, or asks for it on a terminal. */
export async function secretFromInput(what: string): Promise<string> {
  return process.stdin.isTTY ? await askPeople(`${what} (it is not shown): `, true) : (await readInput()).trim();
}
