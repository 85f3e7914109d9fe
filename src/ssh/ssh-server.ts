/**
 * Serves one connection by SSH, from its first byte to its end. This is all that the rest of the host knows of SSH.
 *
 * @packageDocumentation
 */
import { concat } from "../bytes/chunk.ts";
import { MalformedSsh } from "../signing/ssh-reader.ts";
import { type LoginKey, logIn } from "./authentication.ts";
import { Connection, type RunSession } from "./connection.ts";
import { ClientGone, Disconnect, MESSAGE, message, REASON } from "./message.ts";
import { PLAIN } from "./packet-cipher.ts";
import { IDLE_TIME, LOGIN_TIME, MOST_QUESTIONS, QUIET_TIME } from "./ssh-limits.ts";
import { type SshSocket, Transport, type TransportOptions } from "./transport.ts";

/** A connection to a client. */
export type SshClient = SshSocket & {
  /** Ends the connection: reads and writes that wait fail then. */
  close(): void;
};

/** What serves it. */
export type SshService = TransportOptions & {
  readonly run: RunSession;
  /** Called when a client has logged in. */
  onLogin?(): void;
};

/** How a connection ended. */
export type SshEnd = {
  /** The key that the client logged in with; absent if it did not. */
  readonly key?: LoginKey;
  /** Why the host ended it; absent if the client did. */
  readonly why?: string;
  /** A fault of the host's. */
  readonly fault?: unknown;
};

/**
 * Returns what is sent to a client that is not let in: the host's name, and why. It costs no key exchange, and clients show
 * it to their users.
 */
export function refusalOf(software: string, why: string): Uint8Array {
  const disconnect = message(MESSAGE.disconnect, REASON.tooManyConnections, why, "");
  return concat([new TextEncoder().encode(`SSH-2.0-${software}\r\n`), PLAIN.frame(disconnect)]);
}

/** Milliseconds between two looks at whether a client is still there. */
const LOOK = 20_000;
/** Milliseconds for the last message to go out. */
const GOODBYE = 2000;

/** Looks after a connection: it must log in in time, and give signs of life. */
class Watch {
  readonly #transport: Transport;
  readonly #end: (why: string) => void;
  readonly #login: ReturnType<typeof setTimeout>;
  #looks: ReturnType<typeof setInterval> | undefined;
  #questions = 0;

  constructor(transport: Transport, end: (why: string) => void) {
    this.#transport = transport;
    this.#end = end;
    this.#login = setTimeout(() => end("no login in time"), LOGIN_TIME);
  }

  /** Goes over to looking after a client that has logged in. */
  loggedIn(connection: Connection): void {
    clearTimeout(this.#login);
    this.#looks = setInterval(() => this.#look(connection), LOOK);
  }

  stop(): void {
    clearTimeout(this.#login);
    clearInterval(this.#looks);
  }

  #look(connection: Connection): void {
    const now = Date.now();
    if (!connection.isBusy && now - connection.usedAt > IDLE_TIME) return this.#end("no session for long");
    if (now - this.#transport.heardAt < QUIET_TIME) {
      this.#questions = 0;
      return undefined;
    }
    if (now - this.#transport.heardAt < QUIET_TIME + this.#questions * LOOK) return undefined;
    if (this.#questions >= MOST_QUESTIONS) return this.#end("no sign of life");
    this.#questions++;
    try {
      this.#transport.post(message(MESSAGE.globalRequest, "keepalive@openssh.com", true));
    } catch {
      // Too much waits for a key exchange that does not end.
      this.#end("no sign of life");
    }
    return undefined;
  }
}

/** Returns the reason that a client is told for an error; `undefined` if it is gone. */
function reasonOf(error: unknown): readonly [reason: number, why: string] | undefined {
  if (error instanceof Disconnect) return [error.reason, error.message];
  if (error instanceof MalformedSsh) return [REASON.protocolError, error.message];
  return error instanceof ClientGone ? undefined : [REASON.byApplication, "a fault of the host"];
}

async function settled(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work.catch(() => undefined), late]);
  clearTimeout(timer);
}

/** Serves a client until it, or the host, ends the connection. It throws nothing. */
export async function serveSsh(client: SshClient, service: SshService): Promise<SshEnd> {
  const transport = new Transport(client, service);
  let [key, connection, ended]: [LoginKey?, Connection?, string?] = [];
  const watch = new Watch(transport, (why) => {
    ended = why;
    transport.disconnect(REASON.byApplication, why);
    // What waits for a client that reads nothing ends with the connection.
    void settled(transport.flushed(), GOODBYE).then(() => client.close());
  });
  try {
    await transport.start();
    key = await logIn(transport);
    connection = new Connection(transport, key, service.run);
    watch.loggedIn(connection);
    service.onLogin?.();
    for (;;) connection.handle(await transport.receive());
  } catch (error) {
    const told = ended === undefined ? reasonOf(error) : undefined;
    if (told !== undefined) transport.disconnect(...told);
    const isFault = told !== undefined && !(error instanceof Disconnect || error instanceof MalformedSsh);
    const why = ended ?? told?.[1];
    return {
      ...(key === undefined ? {} : { key }),
      ...(why === undefined ? {} : { why }),
      ...(isFault ? { fault: error } : {}),
    };
  } finally {
    watch.stop();
    await settled(transport.flushed(), GOODBYE);
    transport.close();
    client.close();
    await connection?.end();
  }
}
