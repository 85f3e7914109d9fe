/**
 * A subscriber to a repository's events.
 *
 * @packageDocumentation
 */

/** One message. */
export type EventMessage = {
  readonly type: string;
  readonly repo: string;
  readonly name: string;
  readonly old: string;
  readonly new: string;
  readonly at: string;
  readonly seq: number;
};

/** An open subscription. */
export type Subscriber = {
  readonly messages: EventMessage[];
  /** What came that was no JSON. */
  readonly others: string[];
  /** Whether the host has not said that it ends the connection. */
  isOpen(): boolean;
  /** Settles when the connection is closed: up to ten seconds after the host said so. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  send(text: string): void;
  close(): void;
};

/** Subscribes; `token` where the repository is not public. @throws where the host answers anything but 101. */
export async function subscribe(url: string, token?: string): Promise<Subscriber> {
  // Node's own takes headers, which the standard's has no place for.
  const init = token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } };
  const socket = new WebSocket(url.replace(/^http/, "ws"), init as unknown as string[]);
  const messages: EventMessage[] = [];
  const others: string[] = [];
  socket.addEventListener("message", ({ data }) => {
    const text = String(data);
    if (text.startsWith("{")) messages.push(JSON.parse(text) as EventMessage);
    else others.push(text);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason }));
  });
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("error", () => reject(new Error(`no subscription to ${url}`)));
  });
  const isOpen = (): boolean => socket.readyState === WebSocket.OPEN;
  return { messages, others, isOpen, closed, send: (text) => socket.send(text), close: () => socket.close() };
}
