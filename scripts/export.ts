/**
 * `npm run export -- {tenant}/{repo} DIR [--base URL] [--token TOKEN]`: copies a repository out of the bucket into DIR, which is a
 * bare repository then. Without options it asks the host that `npm start` runs, with the token that one keeps.
 */
import { createWriteStream, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";

const USAGE = "usage: npm run export -- {tenant}/{repo} DIR [--base URL] [--token TOKEN]";

type Listing = { readonly files: readonly { readonly key: string; readonly size: number }[] };

/** Reads an answer as the listing it should be. */
function listingOf(json: unknown): Listing {
  if (typeof json !== "object" || json === null || !("files" in json) || !Array.isArray(json.files)) {
    throw new TypeError("the host's answer is no list of files");
  }
  const files = json.files.map((file: unknown) => {
    if (typeof file !== "object" || file === null || !("key" in file && "size" in file))
      throw new TypeError("not a file");
    if (typeof file.key !== "string" || typeof file.size !== "number") throw new TypeError("not a file");
    return { key: file.key, size: file.size };
  });
  return { files };
}

/** Gives the token of the host on this machine. */
function keptToken(): string | undefined {
  const file = join(process.env["STATE_DIR"] ?? ".thinpack", "admin-token");
  return process.env["ADMIN_TOKEN"] ?? (existsSync(file) ? readFileSync(file, "utf8").trim() : undefined);
}

async function request(url: string, token: string): Promise<Response> {
  const response = await fetch(url, { headers: { Authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response;
}

/** Copies every file of the repository into `directory`; gives their number and bytes. */
export async function exportRepository(url: string, token: string, directory: string): Promise<[number, number]> {
  const { files } = listingOf(await (await request(`${url}/export`, token)).json());
  let bytes = 0;
  for (const { key, size } of files) {
    const target = resolve(directory, key);
    if (!target.startsWith(resolve(directory) + sep)) throw new Error(`a file named ${key}`);
    mkdirSync(dirname(target), { recursive: true });
    const { body } = await request(`${url}/export/${key.split("/").map(encodeURIComponent).join("/")}`, token);
    await pipeline(body === null ? Readable.from([]) : Readable.from(body), createWriteStream(target));
    bytes += size;
  }
  return [files.length, bytes];
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { base: { type: "string" }, token: { type: "string" } },
  });
  const [name, directory] = positionals;
  const token = values.token ?? keptToken();
  if (name === undefined || !/^[^/]+\/[^/]+$/.test(name) || directory === undefined) throw new Error(USAGE);
  if (token === undefined) throw new Error("no token: give --token, or start the host here first");
  const base = (values.base ?? `http://localhost:${process.env["PORT"] ?? "8787"}`).replace(/\/$/, "");
  const [files, bytes] = await exportRepository(`${base}/api/v1/repos/${name}`, token, directory);
  console.log(`${files} files, ${bytes} bytes in ${directory}`);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
