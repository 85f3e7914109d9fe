/**
 * Journeys through the doors besides HTTP, on storage that fails: git over WebSocket, and git by SSH.
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5), gitprotocol-pack(5)
 */
import { execFile } from "node:child_process";
import type { FaultBed } from "./fault-bed.ts";
import { failureIn, type Outcome, readReport, type Refs } from "./fault-client.ts";
import { BASE, filled, MAIN, NEXT, packOf, TIP } from "./fault-content.ts";
import { type Act, checkRefs, type Journey, type Round } from "./fault-rounds.ts";
import { FaultSocket } from "./fault-socket.ts";
import { parsePkts, pktLines, pushBody } from "./git-raw.ts";
import { LFS_TYPE, lfsObject } from "./lfs-client.ts";
import { type ClientKey, makeClientKey, sshOptions } from "./ssh-bed.ts";
import { COMMAND_LIMIT } from "./time-limits.ts";

/** The code with which a WebSocket is closed where all is said. */
const WELL = 1000;

/** Whether bytes are whole packets up to a flush, or up to an error, which is the last that is said. */
function isWhole(bytes: Buffer): boolean {
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = Number.parseInt(bytes.toString("latin1", at, at + 4), 16);
    if (length === 0) return true;
    if (Number.isNaN(length) || at + length > bytes.length) return false;
    if (bytes.toString("latin1", at + 4, at + 8) === "ERR ") return true;
    at += Math.max(length, 4);
  }
  return false;
}

/** Waits for an answer up to its flush, and gives its packets; what came instead, where the host says that it failed or nothing. */
async function answered(socket: FaultSocket): Promise<Buffer[] | Outcome> {
  await socket.until(() => isWhole(socket.bytes));
  const bytes = socket.takeBytes();
  const pkts = parsePkts(bytes);
  const words = failureIn(pkts);
  if (words !== undefined) return { kind: "told", status: 101, words };
  return isWhole(bytes) ? pkts : { kind: "broken", why: `closed with ${String(socket.code)} after ${String(bytes)}` };
}

/** The refs that a list tells of; `HEAD` is not among them. */
function refsIn(pkts: readonly Buffer[]): Refs {
  const lines = pkts.map((line) => line.toString().split("\0")[0]?.trimEnd().split(" ") ?? []);
  return Object.fromEntries(
    lines.flatMap(([oid = "", name = ""]) => (name.startsWith("refs/") ? [[name, oid] as const] : [])),
  );
}

/** Opens git's service at a repository over WebSocket, has something said, and closes it. */
async function overSocket(
  { bed, path }: Round,
  service: string,
  say: (socket: FaultSocket, first: readonly Buffer[]) => Promise<Outcome>,
): Promise<Outcome> {
  const socket = await FaultSocket.open(bed, `/${path}.git/${service}`);
  if ("kind" in socket) return socket;
  try {
    const first = await answered(socket);
    return "kind" in first ? first : await say(socket, first);
  } finally {
    socket.close();
  }
}

/** A push over WebSocket. */
async function pushingOverSocket(round: Round): Promise<Act> {
  const before = await filled(round);
  const body = pushBody(
    [{ name: MAIN, old: TIP.oid, new: NEXT.oid }],
    packOf([NEXT]),
    "report-status-v2 side-band-64k",
  );
  return {
    act: () =>
      overSocket(round, "git-receive-pack", async (socket, first) => {
        if (refsIn(first)[MAIN] === NEXT.oid) return { kind: "done", body: Buffer.alloc(0) };
        socket.send(body);
        await socket.until(() => false);
        const report = readReport(socket.takeBytes());
        if (report.kind !== "done" || socket.code === WELL) return report;
        return { kind: "broken", why: `a report, and then closed with ${String(socket.code)}` };
      }),
    check: (done) => checkRefs(round, { before, after: { [MAIN]: NEXT.oid } }, done),
  };
}

/** A fetch over WebSocket, of which git looks at the pack. */
async function fetchingOverSocket(round: Round): Promise<Act> {
  const before = await filled(round);
  return {
    act: () =>
      overSocket(round, "git-upload-pack?version=2", async (socket) => {
        socket.send(pktLines("command=ls-refs", "object-format=sha1", "0001", "0000"));
        const listed = await answered(socket);
        if ("kind" in listed) return listed;
        const refs = refsIn(listed);
        const wants = [...new Set(Object.values(refs))].map((oid) => `want ${oid}`);
        socket.send(pktLines("command=fetch", "object-format=sha1", "0001", "ofs-delta", ...wants, "done", "0000"));
        const sent = await answered(socket);
        if ("kind" in sent) return sent;
        const pack = Buffer.concat(sent.filter(([band]) => band === 1).map((packet) => packet.subarray(1)));
        const names = Object.keys(refs).toSorted();
        await round.referee.pack(pack, names.map((name) => `create ${name} ${refs[name]}\n`).join(""));
        return { kind: "done", body: pack };
      }),
    check: (done) => checkRefs(round, { before, after: before }, done),
  };
}

const keys = new WeakMap<FaultBed, Promise<ClientKey>>();

/** A key that may push to all repositories of a tenant. It is entered once. */
async function keyOf(bed: FaultBed): Promise<ClientKey> {
  const enter = async (): Promise<ClientKey> => {
    const key = makeClientKey("ed25519");
    await bed.sure("POST", "/tenants/acme/ssh-keys", { name: "a key", key: key.publicKey, scopes: ["repo:write"] });
    return key;
  };
  const entered = keys.get(bed) ?? enter();
  keys.set(bed, entered);
  return await entered;
}

/** What ssh says by itself, which is no word of the host's. */
const OF_SSH =
  /^(?:Connection .*(?:closed|reset)|client_loop: |kex_exchange_identification: |fatal: the remote end hung up)/m;

/** Sorts what a program did that goes through ssh. */
function outcomeOfRun({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }): Outcome {
  if (code === 0) return { kind: "done", body: Buffer.from(stdout) };
  const words = stderr.trim();
  const isTold = words.split("\n").some((line) => line !== "" && !OF_SSH.test(line));
  return isTold && !/killed after/.test(words) ? { kind: "told", status: 0, words } : { kind: "broken", why: words };
}

/** Git's own client, by SSH. */
async function bySsh(round: Round, args: (cwd: string, url: string) => readonly string[]): Promise<Act> {
  const { bed, path, referee } = round;
  const before = await filled(round);
  const key = await keyOf(bed);
  const cwd = await referee.workingCopy([...BASE, NEXT], NEXT.oid);
  const asked = args(cwd, `ssh://git@localhost:${bed.host.sshPort ?? 0}/${path}.git`);
  const env = { GIT_SSH_COMMAND: ["ssh", ...sshOptions(key)].join(" ") };
  return {
    act: async () => outcomeOfRun(await bed.git.git(asked, { cwd, env, timeout: COMMAND_LIMIT })),
    check: (done) => checkRefs(round, { before, after: asked[0] === "push" ? { [MAIN]: NEXT.oid } : before }, done),
  };
}

/** Runs ssh. */
async function ssh(bed: FaultBed, key: ClientKey, command: string): Promise<Outcome> {
  const args = [...sshOptions(key), "-p", `${bed.host.sshPort ?? 0}`, "git@localhost", command];
  return await new Promise((resolve) => {
    const child = execFile("ssh", args, { timeout: COMMAND_LIMIT }, (error, stdout, stderr) =>
      resolve(outcomeOfRun({ code: error === null ? 0 : 1, stdout, stderr })),
    );
    child.stdin?.end();
  });
}

/** What `git-lfs-authenticate` gives has to be good for what it was asked for. */
async function authenticating(round: Round): Promise<Act> {
  const { bed, path, client } = round;
  const before = await filled(round);
  const key = await keyOf(bed);
  const object = lfsObject(Buffer.from("an object that nobody uploads"));
  const body = JSON.stringify({ operation: "upload", transfers: ["basic"], objects: [object], hash_algo: "sha256" });
  return {
    act: async () => {
      const given = await ssh(bed, key, `git-lfs-authenticate ${path}.git upload`);
      if (given.kind !== "done") return given;
      const { header } = JSON.parse(given.body.toString()) as { header: object };
      const url = `/${path}.git/info/lfs/objects/batch`;
      return await client.asked("POST", url, body, { Accept: LFS_TYPE, "Content-Type": LFS_TYPE, ...header });
    },
    check: (done) => checkRefs(round, { before, after: before }, done),
  };
}

/** Journeys over WebSocket and by SSH. */
export const DOOR_JOURNEYS: readonly Journey[] = [
  { name: "push over WebSocket", prepare: pushingOverSocket },
  { name: "fetch over WebSocket", prepare: fetchingOverSocket },
  { name: "push by SSH", prepare: (round) => bySsh(round, (_, url) => ["push", "-q", url, `${NEXT.oid}:${MAIN}`]) },
  { name: "fetch by SSH", prepare: (round) => bySsh(round, (_, url) => ["fetch", "-q", url]) },
  { name: "LFS, authentication by SSH", prepare: authenticating },
];
