/**
 * Blobs that are sent by themselves, for commits to name, and blobs that are read many at once.
 */
import { beforeEach, expect, it } from "vitest";
import { type ApiClient, apiClient } from "../support/api-client.ts";
import { importFixture, linear, noise } from "../support/git-fixtures.ts";
import { inEveryFormat } from "../support/git-hosts.ts";
import { objectId } from "../support/git-raw.ts";

/** Larger than what is written in one operation. */
const LARGE = 11_000_000;

inEveryFormat(
  "blobs by the API",
  (journey) => {
    let api: ApiClient;
    let path: string;
    let url: string;
    beforeEach(async () => {
      api = apiClient(journey.base, journey.token);
      const source = await importFixture(journey.git, "source", linear(2));
      url = await journey.create();
      await journey.git.ok(["push", "-q", url, "main"], { cwd: source });
      path = `/repos${new URL(url).pathname.replace(/\.git$/, "")}`;
    });
    const send = async (bytes: Uint8Array, headers: Record<string, string> = {}): Promise<Response> =>
      await fetch(`${journey.base}/api/v1${path}/blobs`, {
        method: "POST",
        headers: { Authorization: `Bearer ${journey.token}`, "Content-Type": "application/octet-stream", ...headers },
        body: new Uint8Array(bytes),
      });

    it.each([0, 1, 70_000, LARGE])("of %d bytes are kept, and are there once a commit names them", async (size) => {
      const { git } = journey;
      const content = noise(size, 3);
      const expected = objectId("blob", content, journey.format.name);
      const kept = await send(content);
      expect(kept.status).toBe(201);
      expect(await kept.json()).toEqual({ oid: expected, size });
      const read = await api("POST", `${path}/blobs/read`, { oids: [expected] });
      expect(read.body).toEqual({ blobs: [{ oid: expected, error: "missing" }] });
      const actions = [
        { action: "create", path: "large.bin", blob: expected },
        { action: "create", path: "again.bin", blob: expected },
      ];
      const made = await api("POST", `${path}/commits`, { branch: "main", message: "large", actions });
      expect(made).toMatchObject({ status: 201 });
      const clone = git.fresh();
      await git.ok(["clone", "-q", url, clone]);
      expect(await git.ok(["rev-parse", "HEAD:large.bin", "HEAD:again.bin"], { cwd: clone })).toBe(
        `${expected}\n${expected}`,
      );
      await git.fsck(clone);
    });

    it("of a stranger, or without a length, are refused", async () => {
      expect((await send(Uint8Array.of(1), { Authorization: "Bearer nobody" })).status).toBe(401);
      const stream = new Blob([Uint8Array.of(1, 2, 3)]).stream();
      const unsaid = {
        method: "POST",
        headers: { Authorization: `Bearer ${journey.token}` },
        body: stream,
        duplex: "half",
      };
      expect((await fetch(`${journey.base}/api/v1${path}/blobs`, unsaid as RequestInit)).status).toBe(411);
    });

    it("are read many at once, by path and by name", async () => {
      const paths = ["VERSION", "src/file-0.txt", "none", "src"];
      const { body } = await api("POST", `${path}/blobs/read`, { rev: "main", paths });
      const blobs = body["blobs"] as Record<string, unknown>[];
      expect(blobs).toMatchObject([
        { path: "VERSION", mode: "100644", size: 2, content: Buffer.from("1\n").toString("base64") },
        { path: "src/file-0.txt" },
        { path: "none", error: "missing" },
        { path: "src", error: "not_a_blob" },
      ]);
      const oids = blobs.slice(0, 2).map(({ oid }) => oid);
      const named = await api("POST", `${path}/blobs/read`, { oids: [...oids, "1".repeat(journey.format.hexSize)] });
      expect(named.body["blobs"]).toMatchObject([
        { size: 2 },
        { content: blobs[1]?.["content"] },
        { error: "missing" },
      ]);
      expect(await api("POST", `${path}/blobs/read`, {})).toMatchObject({ status: 422 });
      const parts = await fetch(`${journey.base}/api/v1${path}/blobs/read`, {
        method: "POST",
        headers: {
          Authorization: `Bearer ${journey.token}`,
          "Content-Type": "application/json",
          Accept: "multipart/mixed",
        },
        body: JSON.stringify({ paths: ["VERSION"] }),
      });
      const boundary = parts.headers.get("Content-Type")?.split("boundary=")[1] ?? "";
      const text = await parts.text();
      expect(text.startsWith(`--${boundary}\r\n`) && text.endsWith(`\r\n1\n\r\n--${boundary}--\r\n`)).toBe(true);
    });
  },
  ["thinpack"],
);
