/**
 * Floods of SSH by clients that never log in.
 *
 * @packageDocumentation
 */
import { connect } from "node:net";
import type { HostileBed, HostileInput, Sent } from "./hostile-bed.ts";

const CONNECTIONS = 200;
/** Milliseconds after which a connection is counted as still open. */
const PATIENCE = 15_000;

/** Opens very many connections at once, each of which sends the same. */
export function floodInputs(bed: HostileBed): HostileInput[] {
  const { sshPort } = bed.target;
  if (sshPort === undefined) return [];
  const packet = Buffer.alloc(35_004, 1);
  packet.writeUInt32BE(35_000);
  return (
    [
      ["say nothing", []],
      ["send noise", [Buffer.alloc(100_000, "x")]],
      ["send the largest packets", ["SSH-2.0-x\r\n", packet, packet]],
      ["name themselves, and offer nothing", ["SSH-2.0-x\r\n"]],
    ] as const
  ).map(([does, pieces]) => ({
    name: `SSH: ${bed.size(CONNECTIONS)} connections that ${does}`,
    send: async () => await flood(sshPort, bed.size(CONNECTIONS), pieces),
  }));
}

async function flood(port: number, count: number, pieces: readonly (string | Buffer)[]): Promise<Sent> {
  const all = await Promise.all(Array.from({ length: count }, async () => await closes(port, pieces)));
  const open = all.filter((isClosed) => !isClosed).length;
  // A connection that nobody logs in on ends within seconds.
  return { status: open === 0 ? 200 : 0, told: `${count} connections, of which ${open} stay open` };
}

/** Sends pieces on a connection, and returns whether the host closes it. */
async function closes(port: number, pieces: readonly (string | Buffer)[]): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const timer = setTimeout(() => {
      socket.destroy();
      resolve(false);
    }, PATIENCE);
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(true);
    });
    socket.resume();
    for (const piece of pieces) socket.write(piece);
  });
}
