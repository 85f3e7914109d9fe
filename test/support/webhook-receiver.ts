/**
 * A receiver of webhooks on loopback.
 *
 * @packageDocumentation
 */
import { createServer, type IncomingHttpHeaders } from "node:http";

/** One delivery as it came in. */
export type Received = {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly raw: Buffer;
  readonly body: Record<string, unknown>;
};

/** A running receiver; `answer` decides what it says, 204 unless told otherwise. */
export type WebhookReceiver = {
  readonly base: string;
  readonly port: number;
  readonly received: Received[];
  answer: (received: Received) => { status: number; headers?: Record<string, string>; hang?: boolean };
  close(): Promise<void>;
};

/** Starts a receiver, on a free port where none is given. */
export async function startReceiver(port = 0): Promise<WebhookReceiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const raw = Buffer.concat(pieces);
      const entry = {
        path: request.url ?? "",
        headers: request.headers,
        raw,
        body: JSON.parse(raw.toString()) as Record<string, unknown>,
      };
      received.push(entry);
      const { status, headers = {}, hang = false } = receiver.answer(entry);
      if (!hang) response.writeHead(status, headers).end("said by the receiver");
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : 0;
  const receiver: WebhookReceiver = {
    base: `http://127.0.0.1:${bound}`,
    port: bound,
    received,
    answer: () => ({ status: 204 }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}
