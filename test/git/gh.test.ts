/**
 * GitHub's own command, `gh api`, against the facade. It insists on HTTPS, so a proxy in the test ends TLS in front of the host.
 *
 * @packageDocumentation
 */
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { createServer, type Server } from "node:https";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { apiClient, issueToken } from "../support/api-client.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { startTestHost } from "../support/host.ts";

/** Why gh can't be run here; `undefined` if it can. */
function missing(): string | undefined {
  const without = ["gh", "openssl"].find((name) => spawnSync(name, ["version"], { stdio: "ignore" }).status !== 0);
  return without === undefined ? undefined : `${without} is not installed`;
}

const MISSING = missing();

/** Starts a server of HTTPS that passes everything on to a host, which knows nothing of TLS: its links are put right. */
async function startProxy(target: string, key: string, cert: string): Promise<Server> {
  const { hostname, port } = new URL(target);
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    const passed = request({ hostname, port, method, path, headers }, (answer) => {
      const { link, ...others } = answer.headers;
      const links = link === undefined ? {} : { link: String(link).replaceAll("<http:", "<https:") };
      outgoing.writeHead(answer.statusCode ?? 502, { ...others, ...links });
      answer.pipe(outgoing);
    });
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

describe("gh", () => {
  const git = new GitSandbox("gh");
  let host: RunningHost;
  let proxy: Server;
  let place = "";
  let token = "";
  const commits: string[] = [];

  /** Runs `gh api`, and gives its status and what it said. */
  const gh = async (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    await new Promise((resolve) => {
      const env = {
        PATH: String(process.env["PATH"]),
        HOME: git.path("home"),
        GH_HOST: place,
        GH_ENTERPRISE_TOKEN: token,
        GH_NO_UPDATE_NOTIFIER: "1",
        SSL_CERT_FILE: git.path("cert.pem"),
      };
      execFile("gh", ["api", ...args], { env }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : 1, stdout, stderr });
      });
    });

  beforeAll(async () => {
    if (MISSING !== undefined) return;
    host = await startTestHost();
    const [key, cert] = [git.path("key.pem"), git.path("cert.pem")];
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
    execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-keyout", key, "-out", cert, ...subject], { stdio: "ignore" }); // prettier-ignore
    proxy = await startProxy(host.base, key, cert);
    const address = proxy.address();
    place = `localhost:${typeof address === "object" && address !== null ? address.port : 0}`;
    const operator = apiClient(host.base, "test-token");
    await operator("PUT", "/tenants/acme");
    await operator("PUT", "/repos/acme/widgets");
    token = await issueToken(operator, "acme", "repo:write");
    const work = await git.init();
    for (const name of ["a", "b", "c"]) commits.push(await git.commit(work, name, `${name}\n`, name));
    await git.ok(["push", "-q", withToken(`${host.base}/acme/widgets.git`, token), "main"], { cwd: work });
  });

  afterAll(async () => {
    git.close();
    if (MISSING !== undefined) return;
    await new Promise((resolve) => proxy.close(resolve));
    await host.stop();
  });

  it.skipIf(MISSING !== undefined)("reads a repository, and follows the links of pages", async () => {
    expect(await gh("repos/acme/widgets", "--jq", ".full_name")).toMatchObject({ code: 0, stdout: "acme/widgets\n" });
    const listed = await gh("--paginate", "repos/acme/widgets/commits?per_page=1", "--jq", ".[].sha");
    expect(listed.stdout.trim().split("\n")).toEqual(commits.toReversed());
    const none = await gh("repos/acme/none");
    expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining("HTTP 404") as string });
  });

  it.skipIf(MISSING !== undefined)("writes files, refs and statuses", async () => {
    const path = "repos/acme/widgets/contents/made.txt";
    const content = Buffer.from("made\n").toString("base64");
    const made = await gh(
      "-X",
      "PUT",
      path,
      "-f",
      "message=made by gh",
      "-f",
      `content=${content}`,
      "--jq",
      ".commit.sha",
    );
    expect(made.code).toBe(0);
    const sha = made.stdout.trim();
    expect((await gh(path, "-H", "Accept: application/vnd.github.raw")).stdout).toBe("made\n");
    const ref = await gh("repos/acme/widgets/git/refs", "-f", "ref=refs/heads/by-gh", "-f", `sha=${sha}`);
    expect(ref.code).toBe(0);
    const status = await gh(
      `repos/acme/widgets/statuses/${sha}`,
      "-f",
      "state=success",
      "-f",
      "context=ci",
      "--jq",
      ".state",
    );
    expect(status.stdout).toBe("success\n");
    const clone = git.fresh();
    await git.ok(["clone", "-q", "-b", "by-gh", withToken(`${host.base}/acme/widgets.git`, token), clone]);
    expect(await git.ok(["rev-parse", "HEAD"], { cwd: clone })).toBe(sha);
  });
});
