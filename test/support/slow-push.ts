/**
 * A push that stops halfway, for tests of what else happens meanwhile.
 *
 * @packageDocumentation
 */
import { request } from "node:http";

/** A push under way. */
export type SlowPush = {
  /** Sends the first half; resolves when it has left. */
  sendHalf(): Promise<void>;
  /** Sends the rest and gives the answer. */
  finish(): Promise<Buffer>;
};

/** Opens a push to a URL with credentials; nothing is sent yet. */
export function openPush(url: string, body: Buffer): SlowPush {
  const target = new URL(url);
  const slow = request({
    host: target.hostname,
    port: target.port,
    path: `${target.pathname}/git-receive-pack`,
    method: "POST",
    auth: `${target.username}:${target.password}`,
    headers: { "Content-Type": "application/x-git-receive-pack-request", "Transfer-Encoding": "chunked" },
  });
  const half = Math.floor(body.length / 2);
  const answered = new Promise<Buffer>((resolve, reject) => {
    slow.on("error", reject);
    slow.on("response", (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("end", () => resolve(Buffer.concat(pieces)));
    });
  });
  // A test that kills the host never asks.
  answered.catch(() => undefined);
  return {
    sendHalf: () =>
      new Promise((resolve, reject) => {
        slow.write(body.subarray(0, half), (error) =>
          error === null || error === undefined ? resolve() : reject(error),
        );
      }),
    finish: async () => {
      slow.end(body.subarray(half));
      return await answered;
    },
  };
}
