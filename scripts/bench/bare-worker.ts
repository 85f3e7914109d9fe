/**
 * A Worker that answers GET with a stored object and writes what a PUT brings into the bucket, under its path and with the
 * SHA-256 of `X-SHA256`. It does nothing else, and is a process of its own: what any answer from the bucket, and any upload into
 * it, costs on this machine. Arguments: the bytes of the object; 0 for none. Prints `ready {base}`.
 *
 * @packageDocumentation
 */
import { createInterface } from "node:readline";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { readWranglerConfig } from "../wrangler-config.ts";
import { speedUpSimulator } from "../simulator-speed.ts";

/** The object is written in parts of the size that the host uses: the simulator reads an object of one piece otherwise. */
const SCRIPT = `
const PART_BYTES = 5 * 1024 * 1024;
export default {
  async fetch(request, env) {
    if (request.method === "GET") return new Response((await env.BUCKET.get("object")).body);
    if (request.method === "PUT") {
      const sha256 = request.headers.get("X-SHA256");
      await env.BUCKET.put(new URL(request.url).pathname, request.body, { sha256 });
      return new Response("written");
    }
    const upload = await env.BUCKET.createMultipartUpload("object");
    const parts = [];
    for (let left = Number(await request.text()); left > 0; left -= PART_BYTES) {
      parts.push(await upload.uploadPart(parts.length + 1, new Uint8Array(Math.min(left, PART_BYTES))));
    }
    await upload.complete(parts);
    return new Response("made");
  },
};`;

const [, , bytes = "0"] = process.argv;
speedUpSimulator();
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    compatibilityDate: readWranglerConfig().compatibility_date,
    host: "127.0.0.1",
    port: 0,
    cf: false,
    modules: true,
    script: SCRIPT,
    r2Buckets: ["BUCKET"],
  }),
);
const url = await miniflare.ready;
const base = `http://127.0.0.1:${url.port}`;
if (bytes !== "0") {
  const made = await fetch(base, { method: "POST", body: bytes });
  if ((await made.text()) !== "made") throw new Error("the object was not made");
}
console.log(`ready ${base}`);
for await (const line of createInterface({ input: process.stdin })) if (line === "end") break;
await miniflare.dispose();
