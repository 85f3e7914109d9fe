/**
 * Version 2: one request is one command. On a connection commands follow each other.
 *
 * Capabilities: `agent`, `ls-refs`, `fetch`, `server-option`, `object-format`, `session-id`, `object-info`,
 * `bundle-uri`, `promisor-remote`.
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5), git's serve.c
 */
import { type CommandRequest, CommandRequestParser } from "../wire/command-request.ts";
import { FLUSH_LINE, type PktLine } from "../wire/pkt-line.ts";
import { ProtocolError } from "../bytes/failure.ts";
import { tellBundles } from "./bundle-uri.ts";
import { formatOfCommand } from "./client-format.ts";
import type { Exchange } from "./exchange.ts";
import { answerFaults, type ServiceCall } from "./failure.ts";
import { fetchObjects } from "./fetch/fetch-command.ts";
import { listRefs } from "./ls-refs.ts";
import { tellObjectInfo } from "./object-info.ts";
import { RequestReader } from "./request-reader.ts";
import type { CommandCall } from "./v2-command.ts";

// A Map and not an object, since a client may try the command `constructor`.
const COMMANDS: ReadonlyMap<string, (call: CommandCall) => Promise<void>> = new Map([
  ["ls-refs", listRefs],
  ["fetch", fetchObjects],
  ["object-info", tellObjectInfo],
  ["bundle-uri", tellBundles],
]);

/**
 * What a client has said on its connection, in whatever command. git's client accepts a promisor remote as it lists refs, and says
 * nothing of it as it fetches.
 */
type Said = { acceptsPromisor: boolean };

/** Answers a request of version 2. */
export async function serveV2(exchange: Exchange): Promise<void> {
  const reader = new RequestReader(exchange.input, exchange.repository.pacer);
  const said: Said = { acceptsPromisor: false };
  await answerFaults(exchange, async (call) => void (await answerCommand(call, reader, said)));
}

/** Answers the commands of a connection, one after the other, until the client ends it or makes a mistake. */
export async function serveCommands(exchange: Exchange): Promise<boolean> {
  const reader = new RequestReader(exchange.input, exchange.repository.pacer);
  const said: Said = { acceptsPromisor: false };
  for (;;) {
    const command = { isLast: false };
    const isGood = await answerFaults(exchange, async (call) => {
      command.isLast = (await answerCommand(call, reader, said)) === "ended";
    });
    if (!isGood || command.isLast) return isGood;
    // The client indexes its pack before it asks for anything more, or says that it is done.
    exchange.pauses?.();
  }
}

/** Reads one command and answers it. A client that is done sends nothing, or a flush alone. */
async function answerCommand(call: ServiceCall, reader: RequestReader, said: Said): Promise<"answered" | "ended"> {
  const { exchange } = call;
  const head = await reader.head();
  const context = {
    objectFormat: formatOfCommand(head),
    agent: exchange.agent,
    stateless: exchange.stateful !== true,
    symrefs: [],
    sessionId: exchange.sessionId,
    promisor: "",
  };
  if (head.length === 0) return "ended";
  const request = parseHead(new CommandRequestParser(context), head);
  if (request.kind === "empty") return "ended";
  exchange.note(request);
  said.acceptsPromisor ||= request.acceptsPromisor;
  const command = COMMANDS.get(request.command);
  if (command === undefined) throw new ProtocolError(`invalid command '${request.command}'`);
  await command({
    ...call,
    context,
    acceptsPromisor: said.acceptsPromisor,
    readArguments: async (parser) => {
      if (request.argumentsFollow) await reader.feed(parser);
      else parser.accept(FLUSH_LINE);
    },
  });
  return "answered";
}

function parseHead(parser: CommandRequestParser, head: readonly PktLine[]): CommandRequest {
  for (const line of head) parser.accept(line);
  return parser.result;
}
