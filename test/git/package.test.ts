/** The command as a host serves it: a package that needs no other, installed by npm. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { version } from "../../package.json";
import { GitSandbox } from "../support/git-client.ts";
import { startTestHost } from "../support/host.ts";

const git = new GitSandbox("package");
let host: RunningHost;

beforeAll(async () => {
  host = await startTestHost();
});
afterAll(async () => {
  await host.stop();
  git.close();
});

it("the command's package installs without anything else, and works", async () => {
  const answer = await fetch(`${host.base}/-/thinpack.tgz`);
  expect(answer.status).toBe(200);
  const bytes = Buffer.from(await answer.arrayBuffer());
  expect(bytes.length).toBeLessThan(100_000);
  const file = git.path("thinpack.tgz");
  writeFileSync(file, bytes);
  const prefix = git.path("prefix");
  mkdirSync(prefix);
  const env = { ...git.environment(), npm_config_cache: git.path("cache"), npm_config_update_notifier: "false" };
  const install = ["install", "--global", "--prefix", prefix, "--offline", "--no-audit", "--no-fund", file];
  const installed = spawnSync("npm", install, { env, encoding: "utf8" });
  expect(installed.stderr + installed.stdout).toContain("added 1 package");
  expect(installed.status).toBe(0);
  const modules = join(prefix, "lib", "node_modules");
  expect(readdirSync(modules)).toEqual(["thinpack"]);
  expect(readdirSync(join(modules, "thinpack")).toSorted()).toEqual([
    "LICENSE",
    "binding.d.ts",
    "git-remote-thinpack.cjs",
    "package.json",
    "sbom.cdx.json",
    "thinpack.cjs",
  ]);
  const sbom: unknown = JSON.parse(readFileSync(join(modules, "thinpack", "sbom.cdx.json"), "utf8"));
  expect(sbom).toMatchObject({ bomFormat: "CycloneDX", metadata: { component: { name: "thinpack", version } } });
  expect(JSON.stringify(sbom)).toContain("pkg:npm/hono@");
  expect(statSync(join(modules, "thinpack", "thinpack.cjs")).mode & 0o111).not.toBe(0);
  const run = (...args: string[]): string => {
    const ran = spawnSync(join(prefix, "bin", "thinpack"), args, { env, encoding: "utf8", input: "test-token" });
    expect(ran.stderr).toBe("");
    expect(ran.status).toBe(0);
    return ran.stdout.trim();
  };
  expect(run("--version")).toBe(version);
  run("login", host.base, "--git");
  run("repo", "create", "acme/packaged");
  expect(await git.ok(["ls-remote", `${host.base}/acme/packaged.git`])).toBe("");
  // Git finds its helper beside the command, and asks the command for credentials.
  const PATH = `${join(prefix, "bin")}:${process.env["PATH"] ?? ""}`;
  expect(await git.ok(["ls-remote", `thinpack::${host.base}/acme/packaged.git`], { env: { PATH } })).toBe("");
});

it("the command's package is all that is served at its address", async () => {
  for (const path of ["/-/", "/-/other.tgz", "/-/thinpack.tgz/x"]) {
    expect([401, 404]).toContain((await fetch(host.base + path)).status);
  }
  expect((await fetch(`${host.base}/-/thinpack.tgz`, { method: "POST" })).status).not.toBe(200);
});
