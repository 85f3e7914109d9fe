/**
 * Stands between a client and a host and says of each request what it cost the host, which the host itself can't: what a request
 * takes of a processor is seen only from outside, and only while nothing else runs.
 *
 * @packageDocumentation
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { Host } from "./hosts.ts";

/** One request that was answered. */
export type Relayed = {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** Processor seconds of the server. */
  readonly cpu: number;
  /** Bytes of the answer's body. */
  readonly bytes: number;
  /** Seconds from the request's head to the first bytes of the answer's body. */
  readonly firstByte: number;
};

/** A relay that listens. */
export type Relay = {
  readonly base: string;
  /** The requests, in order. */
  readonly relayed: readonly Relayed[];
  close(): Promise<void>;
};

type Passed = Pick<Relayed, "status" | "bytes" | "firstByte">;

/** Passes one request on, and gives what is known of the answer. */
function pass(base: string, from: IncomingMessage, to: ServerResponse): Promise<Passed> {
  const { host: _own, ...headers } = from.headers;
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const upstream = request(`${base}${from.url ?? "/"}`, { method: from.method, headers }, (answer) => {
      const status = answer.statusCode ?? 502;
      let [bytes, firstByte] = [0, 0];
      to.writeHead(status, answer.headers);
      answer.on("data", (piece: Buffer) => {
        if (bytes === 0) firstByte = (performance.now() - began) / 1000;
        bytes += piece.length;
        to.write(piece);
      });
      // The client asks again as soon as it has all, so the end is held back until the time has been read.
      answer.on("end", () => resolve({ status, bytes, firstByte }));
      answer.on("error", reject);
    });
    upstream.on("error", reject);
    from.pipe(upstream);
  });
}

/** Starts a relay to a host on a free port. It is for clients that ask one thing after another. */
export async function startRelay(host: Pick<Host, "base" | "quietCpu">): Promise<Relay> {
  const relayed: Relayed[] = [];
  const answer = async (from: IncomingMessage, to: ServerResponse): Promise<void> => {
    const before = await host.quietCpu();
    const passed = await pass(host.base, from, to);
    const cpu = (await host.quietCpu()) - before;
    relayed.push({ method: from.method ?? "", path: from.url ?? "", ...passed, cpu });
    to.end();
  };
  const server = createServer((from, to) => {
    answer(from, to).catch((error: unknown) => to.destroy(error instanceof Error ? error : undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not listening on a port");
  return {
    base: `http://127.0.0.1:${address.port}`,
    relayed,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
