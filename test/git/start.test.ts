/** `npm start` as a user meets it: its settings, and what it says where one is wrong. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { GitSandbox } from "../support/git-client.ts";
import { PROJECT, stopProcess } from "../support/git-process.ts";

const git = new GitSandbox("start");
afterAll(() => git.close());

function start(
  env: Record<string, string>,
  ...args: string[]
): { status: number | null; stdout: string; stderr: string } {
  const state = git.fresh("state");
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(PROJECT, "scripts", "start.ts"), ...args], {
    cwd: git.directory,
    env: { ...process.env, STATE_DIR: state, ...env },
    encoding: "utf8",
    timeout: 60_000,
  });
  // What can't begin leaves nothing.
  expect(existsSync(state)).toBe(false);
  return { status, stdout, stderr };
}

it.each([
  ["PORT", "abc", "PORT is 'abc', which is no port: give a number from 0 to 65535"],
  ["PORT", "65536", "PORT is '65536', which is no port: give a number from 0 to 65535"],
  ["INSPECTOR_PORT", "-1", "INSPECTOR_PORT is '-1', which is no port: give a number from 0 to 65535"],
])("says in a sentence that %s=%s is wrong", (name, value, sentence) => {
  expect(start({ PORT: "0", [name]: value })).toEqual({ status: 1, stdout: "", stderr: `thinpack: ${sentence}\n` });
});

it("npm start says in a sentence that a port is in use, or an address is not this machine's", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  expect(start({ PORT: String(port) })).toEqual({
    status: 1,
    stdout: "",
    stderr: `thinpack: port ${port} is in use: set PORT to another, or to 0\n`,
  });
  for (const name of ["GIT_PORT", "SSH_PORT", "INSPECTOR_PORT"]) {
    expect(start({ PORT: "0", [name]: String(port) })).toMatchObject({
      status: 1,
      stderr: `thinpack: port ${port} is in use: set ${name} to another, or to 0\n`,
    });
  }
  other.close();
  await once(other, "close");
  expect(start({ PORT: String(port), SSH_PORT: String(port) })).toMatchObject({
    status: 1,
    stderr: `thinpack: PORT and SSH_PORT are both ${port}: set one to another\n`,
  });
  const { status, stderr } = start({ PORT: "0", HOST: "192.0.2.1" });
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: "thinpack: HOST is '192.0.2.1', which this machine can't listen on (EADDRNOTAVAIL)\n",
  });
});

it("npm start says in a sentence that nothing can be kept where STATE_DIR says", () => {
  const file = git.path("a-file");
  writeFileSync(file, "mine");
  const below = `${file}/state`;
  expect(start({ PORT: "0", STATE_DIR: below })).toEqual({
    status: 1,
    stdout: "",
    stderr: `thinpack: STATE_DIR is '${below}', but ${file} is no directory\n`,
  });
});

it("npm start lists its settings with --help, and then starts nothing", () => {
  const help = start({}, "--help");
  expect(help).toMatchObject({ status: 0, stderr: "" });
  for (const name of ["PORT", "HOST", "STATE_DIR", "ADMIN_TOKEN"]) expect(help.stdout).toContain(`\n  ${name} `);
  expect(start({}, "--port=1")).toMatchObject({ status: 1, stderr: expect.stringContaining("'--port=1'") });
});

it("npm start listens where HOST says, and tells when the operator's token has changed", async () => {
  const state = git.path("kept");
  // Another address of this machine than the one that it listens on by default.
  const isOpen = (base: string): Promise<boolean> =>
    fetch(`${base.replace("localhost", "127.0.0.2")}/healthz`).then(
      ({ status }) => status === 200,
      () => false,
    );
  const starts = async (token: string, env: Record<string, string> = {}): Promise<{ said: string; open: boolean }> => {
    const child = spawn(process.execPath, [join(PROJECT, "scripts", "start.ts")], {
      env: { ...process.env, PORT: "0", STATE_DIR: state, ADMIN_TOKEN: token, ...env },
      stdio: ["ignore", "pipe", "ignore"],
    });
    let said = "";
    child.stdout.on("data", (piece: Buffer) => (said += piece.toString()));
    await vi.waitFor(() => expect(said).toContain("\n  git push http://git:"), { timeout: 120_000, interval: 100 });
    const open = await isOpen(/^ready (http:\/\/localhost:\d+)$/m.exec(said)?.[1] ?? "");
    await stopProcess(child);
    return { said, open };
  };
  const changed = "it is another than last time: log in anew where the old one is kept";
  expect(await starts("one")).toMatchObject({ open: false, said: expect.not.stringContaining(changed) });
  const everywhere = await starts("one", { HOST: "0.0.0.0" });
  expect(everywhere).toMatchObject({ open: true, said: expect.not.stringContaining(changed) });
  expect(await starts("two")).toMatchObject({ said: expect.stringContaining(changed) });
});
