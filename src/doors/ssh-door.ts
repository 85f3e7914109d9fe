/**
 * SSH: git for whoever has a key that the repository's tenant knows. What the protocol of SSH is, `ssh/` knows; here its
 * commands become sessions.
 *
 * @packageDocumentation
 */
import { networkOf } from "../access/client-network.ts";
import { folded } from "../access/names.ts";
import type { Pacer } from "../bytes/pacer.ts";
import type { KeyCredentials } from "../http/authenticate.ts";
import type { RunSession, SshSession } from "../ssh/connection.ts";
import type { HostKey } from "../ssh/host-key.ts";
import { PUSH_WINDOW } from "../ssh/ssh-limits.ts";
import { refusalOf, serveSsh, type SshEnd } from "../ssh/ssh-server.ts";
import { parseProtocolVersion } from "../wire/protocol-version.ts";
import type { Doorkeeper } from "./doorkeeper.ts";
import type { SessionClient, SessionRunner } from "./session.ts";
import type { SocketClient } from "./socket-client.ts";
import { parseSshCommand, type SshCommand } from "./ssh-command.ts";

/** A request for the means to move Git LFS objects over HTTP. */
export type LfsRequest = {
  readonly path: string;
  readonly operation: "download" | "upload";
  readonly credentials: KeyCredentials;
  readonly address: string;
  readonly agent: string;
  readonly signal: AbortSignal;
  /** What is told in place of a refusal of access. */
  readonly denial: string;
};

/** The answer: what the client gets, or why it gets nothing. */
export type LfsAnswer = { readonly answer: string } | { readonly refusal: string };

/** What the door needs of the host. */
export type SshDoorTools = {
  readonly hostKeys: readonly HostKey[];
  /** The host's name and version, without spaces. */
  readonly software: string;
  readonly doorkeeper: Doorkeeper;
  /** Makes the pacer of a connection. */
  pacer(): Pacer;
  readonly run: SessionRunner;
  /** Answers `git-lfs-authenticate`. It never rejects. */
  authenticateLfs(asked: LfsRequest): Promise<LfsAnswer>;
};

const encoder = new TextEncoder();
/** The exit status of git where it can't go on. */
const FATAL = 128;
/** Clients at once that are told why they are not let in, the time that each has to hear it in milliseconds, and its buffer. */
const MOST_REFUSALS = 32;
const REFUSAL_TIME = 2000;
const REFUSAL_BYTES = 1024;
const BUSY = "Too many connections came from your address, or to this host. Try again later.";

/** Serves one connection, and closes it. Returns how it ended; nothing for one that was not let in. */
export async function serveSshDoor(socket: SocketClient, tools: SshDoorTools): Promise<SshEnd | undefined> {
  const entry = tools.doorkeeper.enter(networkOf(socket.address));
  if (entry === undefined) {
    await refuse(socket, tools.software);
    return undefined;
  }
  try {
    const { input, output } = socket;
    const close = (): void => void socket.close();
    const { hostKeys, software } = tools;
    const run: RunSession = async (session) => await runSession(session, socket, tools);
    const pacer = tools.pacer();
    return await serveSsh({ input, output, close }, { hostKeys, software, pacer, run, onLogin: () => entry.prove() });
  } finally {
    entry.leave();
  }
}

/** Connections that are told why they are not let in, at this moment. */
let refusals = 0;

/**
 * Tells a client why it is not let in, and closes. What the client has sent is read meanwhile: a connection that is closed
 * with bytes unread is reset, and its client never sees the reason. Of very many, most are closed without a word.
 */
async function refuse(socket: SocketClient, software: string): Promise<void> {
  refusals++;
  const over = new Promise<void>((resolve) => setTimeout(resolve, REFUSAL_TIME));
  try {
    if (refusals > MOST_REFUSALS) return;
    const told = (async () => {
      await socket.output.write(refusalOf(software, BUSY));
      let buffer = new Uint8Array(REFUSAL_BYTES);
      for (;;) {
        const bytes = await socket.input.read(buffer);
        if (bytes.length === 0) return;
        buffer = new Uint8Array(bytes.buffer);
      }
    })();
    await Promise.race([told.catch(() => undefined), over]);
  } finally {
    refusals--;
    await socket.close();
  }
}

async function runSession(session: SshSession, socket: SocketClient, tools: SshDoorTools): Promise<number> {
  const { command, key } = session;
  if (command === undefined) return await say(session, greeting(key.fingerprint), 1);
  const asked = parseSshCommand(command);
  switch (asked.kind) {
    case "service":
      return await runService(session, asked, { socket, tools });
    case "lfs":
      return await runLfs(session, asked, { socket, tools });
    case "unknown":
      return await say(
        session,
        `thinpack: '${printable(asked.name)}' can't be run here: this is a host for git.`,
        FATAL,
      );
  }
}

function greeting(fingerprint: string): string {
  return `Hello! Your key ${fingerprint} works, but there is no shell here: this is a host for git.`;
}

function printable(text: string): string {
  return text.slice(0, 100).replaceAll(/[^\x20-\x7e]/g, "?");
}

async function say({ errors }: SshSession, sentence: string, status: number): Promise<number> {
  await errors.write(encoder.encode(`${sentence}\n`)).catch(() => undefined);
  return status;
}

type Doing = { readonly socket: SocketClient; readonly tools: SshDoorTools };

/** Returns the key as the tenant of a path may know it. */
function credentialsOf({ key }: SshSession, path: string): KeyCredentials {
  const [tenant = ""] = path.split("/").filter((piece) => piece !== "");
  return { kind: "key", tenant: folded(tenant), fingerprint: key.fingerprint };
}

/** The sentence for what is missing, and for what the key may not be told of. */
function denialOf({ key }: SshSession): string {
  return `There is no such repository, or the key ${key.fingerprint} may not do this.`;
}

async function runService(
  session: SshSession,
  { service, path }: Extract<SshCommand, { kind: "service" }>,
  { socket, tools }: Doing,
): Promise<number> {
  let status = FATAL;
  const client = {
    ...clientOf(session, service === "git-receive-pack"),
    end: async (ended: number) => void (status = ended),
  };
  await tools.run({
    door: "SSH",
    service,
    version: parseProtocolVersion(session.environment.get("GIT_PROTOCOL")),
    path,
    credentials: credentialsOf(session, path),
    address: socket.address,
    agent: session.software,
    client,
    denial: denialOf(session),
  });
  return status;
}

/** Returns the bytes of a session. A push has more on its way once it was answered: so it was admitted. */
function clientOf({ input, output, signal, widen }: SshSession, isPush: boolean): Omit<SessionClient, "end"> {
  let isAnswered = false;
  return {
    signal,
    input: {
      read: (buffer) => {
        if (isPush && isAnswered) widen(PUSH_WINDOW);
        return input.read(buffer);
      },
    },
    output: {
      write: async (bytes) => {
        await output.write(bytes);
        isAnswered = true;
      },
    },
  };
}

async function runLfs(
  session: SshSession,
  { path, operation }: Extract<SshCommand, { kind: "lfs" }>,
  { socket, tools }: Doing,
): Promise<number> {
  const answered = await tools.authenticateLfs({
    path,
    operation,
    credentials: credentialsOf(session, path),
    address: socket.address,
    agent: session.software,
    signal: session.signal,
    denial: denialOf(session),
  });
  if ("refusal" in answered) return await say(session, `thinpack: ${answered.refusal}`, FATAL);
  await session.output.write(encoder.encode(`${answered.answer}\n`)).catch(() => undefined);
  return 0;
}
