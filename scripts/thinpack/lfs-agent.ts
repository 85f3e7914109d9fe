/**
 * `thinpack lfs-agent`: transfers Git LFS objects for the stock client, which starts it once `thinpack lfs install` was run. What is
 * larger than a request may be goes up in parts. An interrupted transfer, up or down, goes on where it was.
 *
 * @packageDocumentation
 * @see https://github.com/git-lfs/git-lfs/blob/main/docs/custom-transfers.md
 */
import { createInterface } from "node:readline";
import { errorOf } from "./failure.ts";
import { isJson, type Json, objectAt, textAt } from "./json.ts";
import { downloadObject } from "./lfs-download.ts";
import { uploadObject } from "./lfs-upload.ts";

/** A transfer that the client asks for. */
export type Transfer = {
  readonly oid: string;
  readonly size: number;
  readonly href: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Told of bytes that have come, or gone, and did not before. */
  readonly onBytes: (bytes: number) => void;
};

const OID = /^[0-9a-f]{64}$/;

function say(event: object): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

/** Counts the bytes of one transfer, for the client. */
function progressOf(oid: string): (bytes: number) => void {
  let soFar = 0;
  return (bytes) => {
    soFar += bytes;
    if (bytes > 0) say({ event: "progress", oid, bytesSoFar: soFar, bytesSinceLast: bytes });
  };
}

/** @throws Error if the client does not say what an object's transfer needs. */
function transferOf(event: Json): Transfer {
  const action = objectAt(event, "action");
  const [oid, size, href] = [textAt(event, "oid"), Number(event["size"]), textAt(action, "href")];
  if (!OID.test(oid) || !Number.isSafeInteger(size) || href === "") throw new Error("this is no transfer");
  const headers = Object.entries(objectAt(action, "header")).map(([name, value]) => [name, String(value)]);
  return { oid, size, href, headers: Object.fromEntries(headers), onBytes: progressOf(oid) };
}

async function answer(event: Json, partBytes: number): Promise<void> {
  const oid = textAt(event, "oid");
  try {
    if (textAt(event, "event") === "upload") {
      await uploadObject(transferOf(event), textAt(event, "path"), partBytes);
      say({ event: "complete", oid });
    } else {
      say({ event: "complete", oid, path: await downloadObject(transferOf(event)) });
    }
  } catch (error) {
    say({ event: "complete", oid, error: { code: 1, message: errorOf(error).message } });
  }
}

/** Answers the client until it has no more transfers. */
export async function runLfsAgent(partBytes: number): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const event: unknown = JSON.parse(line);
    if (!isJson(event)) continue;
    const kind = textAt(event, "event");
    if (kind === "terminate") return;
    if (kind === "init") say({});
    else await answer(event, partBytes);
  }
}
