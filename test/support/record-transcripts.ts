/**
 * Records the transcripts anew: the real client against `git http-backend`, through a proxy that writes down both sides and
 * takes out of the server's offer what our capability table does not offer, so that the client asks as it would ask us.
 *
 * @packageDocumentation
 */
import { writeFileSync } from "node:fs";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { CAPABILITIES, offeredFeatures } from "../../src/wire/capabilities.ts";
import { parseCapability } from "../../src/wire/capability-list.ts";
import { startCgiServer } from "./cgi-server.ts";
import { GitSandbox } from "./git-client.ts";
import { pktBytes, pktText } from "./pkt.ts";
import { type Exchange, TRANSCRIPTS, formatExchange, sideOf } from "./transcript.ts";
import { listening } from "./listening.ts";

const TOKEN = "recorder";
const FEATURES = offeredFeatures("fetch", { objectFormat: "sha1", agent: "", stateless: true, symrefs: [] });

function isOffered(surface: string, token: string): boolean {
  const { name } = parseCapability(token);
  return CAPABILITIES.some((row) => row.surface === surface && row.name === name && row.status === "offered");
}

/** Takes out of an advertisement what we do not offer. */
function cutOffer(service: string, bytes: Uint8Array): Uint8Array {
  const lines = pktText(bytes);
  const isV2 = lines[0] === "version 2\\n";
  const cut = lines.flatMap((line) => {
    if (isV2) {
      if (line.startsWith("fetch=")) return [`fetch=${[...FEATURES].join(" ")}\\n`];
      return line === "version 2\\n" || line === "0000" || isOffered("v2", line.slice(0, -2)) ? [line] : [];
    }
    // A capability list, not an escaped byte: names of refs have neither.
    const nul = line.indexOf("\\0");
    if (nul < 0) return [line];
    const offer = line.slice(nul + 2, -2).split(" ");
    const kept = offer.filter((token) => isOffered(service, token));
    return [`${line.slice(0, nul)}\\0${kept.join(" ")}\\n`];
  });
  return pktBytes(...cut);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const body = Buffer.concat(pieces);
  return request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
}

/** A proxy to `target` that keeps what was said in `exchanges`. */
async function startProxy(target: string, exchanges: Exchange[]): Promise<{ base: string; close: () => void }> {
  const relay = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request);
    const headers: Record<string, string> = { Authorization: `Bearer ${TOKEN}` };
    for (const name of ["content-type", "git-protocol"]) {
      const value = request.headers[name];
      if (typeof value === "string") headers[name] = value;
    }
    const url = request.url ?? "";
    const method = request.method ?? "";
    const answer = await fetch(target + url, {
      method,
      headers,
      body: method === "POST" ? new Uint8Array(body) : null,
    });
    let bytes = new Uint8Array(await answer.arrayBuffer());
    const service = /service=git-(.*)/.exec(url)?.[1];
    if (service !== undefined) bytes = new Uint8Array(cutOffer(service, bytes));
    const path = url.replace(/^\/t\/[\w-]+\.git\//, "");
    exchanges.push({ method, path, protocol: headers["git-protocol"], request: sideOf(body), answer: sideOf(bytes) });
    response.writeHead(answer.status, { "Content-Type": answer.headers.get("content-type") ?? "" }).end(bytes);
  };
  const server = createServer((request, response) => void relay(request, response));
  const port = await listening(server);
  return { base: `http://127.0.0.1:${port}`, close: () => server.close() };
}

/** Runs every journey and writes its transcript. */
export async function recordTranscripts(): Promise<void> {
  const git = new GitSandbox("record");
  const host = await startCgiServer({ root: git.path("host"), token: TOKEN });
  const exchanges: Exchange[] = [];
  const proxy = await startProxy(host.base, exchanges);
  const version = await git.ok(["--version"]);
  const url = `${proxy.base}/t/recorded.git`;
  const save = (name: string): void => {
    const head = `# ${version} against git http-backend, whose offer was cut down to what our table offers.\n\n`;
    writeFileSync(join(TRANSCRIPTS, `${name}.txt`), head + exchanges.splice(0).map(formatExchange).join("\n"));
  };
  const client = (protocol: number, args: string[], cwd?: string): Promise<string> =>
    git.ok(["-c", `protocol.version=${protocol}`, ...args], cwd === undefined ? {} : { cwd });

  const work = await git.init("work");
  for (const file of ["one", "two", "three"]) await git.commit(work, `${file}.txt`, `${file}\n`.repeat(20));
  await git.ok(["tag", "-a", "-m", "first", "v1", "HEAD^"], { cwd: work });
  await git.ok(["remote", "add", "origin", url], { cwd: work });

  await client(0, ["push", "-q", "origin", "main", "v1"], work);
  save("push-create");
  const clones = new Map<number, string>();
  for (const protocol of [0, 1, 2]) {
    const clone = git.fresh("clone");
    await client(protocol, ["clone", "-q", url, clone]);
    save(`clone-v${protocol}`);
    // Younger than anything the server has, so that they are what the first round offers.
    for (let local = 1; local <= 40; local++) {
      const env = { GIT_COMMITTER_DATE: `${1_700_000_000 + local} +0000` };
      await git.ok(["commit", "-q", "--allow-empty", "-m", `local ${local}`], { cwd: clone, env });
    }
    clones.set(protocol, clone);
  }
  await git.commit(work, "four.txt", "four\n");
  await client(
    0,
    ["push", "-q", "--atomic", "-o", "why=because", "-o", "ä", "origin", "main", "main:refs/heads/topic"],
    work,
  );
  save("push-atomic-options");
  for (const [protocol, clone] of clones) {
    await client(protocol, ["fetch", "-q"], clone);
    save(`fetch-v${protocol}`);
  }
  await git.git(["-c", "protocol.version=1", "push", "-q", "origin", ":main", "main:refs/heads/x"], { cwd: work });
  save("push-refused");
  await client(2, ["push", "-q", "origin", ":topic"], work);
  save("push-delete");
  await client(2, ["ls-remote", "-q", url, "refs/heads/*"]);
  save("ls-remote-v2");
  await git.ok(["init", "-q", "--bare", "--initial-branch=trunk", git.path("host", "t", "recorded-empty.git")]);
  await client(2, ["clone", "-q", `${proxy.base}/t/recorded-empty.git`, git.fresh("clone")]);
  save("clone-empty-v2");
  proxy.close();
  await host.close();
  git.close();
}
