/**
 * OpenSSH's server with git behind it, as what a session by SSH is compared with.
 *
 * @packageDocumentation
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { stopProcess } from "../../test/support/git-process.ts";
import { makeClientKey } from "../../test/support/ssh-bed.ts";
import { freePort } from "../free-port.ts";
import { type Host, settle } from "./hosts.ts";

/** Clock ticks per second in proc(5). */
const TICKS = 100;
const SSHD = "/usr/sbin/sshd";
const LOOK = 100;

/** Seconds of a process and of all its descendants that have ended and were waited for. */
function secondsWithEnded(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // utime, stime, cutime and cstime.
  return fields.slice(11, 15).reduce((total, ticks) => total + Number(ticks), 0) / TICKS;
}

async function untilOpen(port: number, child: ChildProcess): Promise<void> {
  for (let looks = 0; looks < 100; looks++) {
    if (child.exitCode !== null) throw new Error(`sshd has ended with ${child.exitCode}`);
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        resolve(true);
      });
      socket.on("error", () => resolve(false));
    });
    if (isOpen) return;
    await pause(LOOK);
  }
  throw new Error("sshd does not listen");
}

/** OpenSSH's server, and the user and port for its clients. */
export type SshdHost = Host & { readonly user: string; readonly port: number };

/** Starts OpenSSH's server for one key of a client's, which may run what the user of this process may. */
export async function startSshd(directory: string, publicKey: string): Promise<SshdHost> {
  mkdirSync(directory, { recursive: true });
  // As root it wants this directory; nobody else can make it, or needs it.
  spawnSync("mkdir", ["-p", "/run/sshd"], { stdio: "ignore" });
  const keys = join(directory, "authorized_keys");
  writeFileSync(keys, `${publicKey}\n`, { mode: 0o600 });
  const port = await freePort("127.0.0.1");
  const options = [
    `HostKey=${makeClientKey("ed25519").file}`,
    `AuthorizedKeysFile=${keys}`,
    "StrictModes=no",
    "UsePAM=no",
    "PidFile=none",
    "PermitRootLogin=yes",
    "LogLevel=ERROR",
    "ListenAddress=127.0.0.1",
  ];
  const args = ["-D", "-e", "-f", "/dev/null", "-p", `${port}`, ...options.flatMap((option) => ["-o", option])];
  const child = spawn(SSHD, args, { stdio: ["ignore", "ignore", "inherit"] });
  await untilOpen(port, child);
  const cpu = (): number => secondsWithEnded(child.pid ?? 0);
  return {
    name: "sshd",
    base: `ssh://127.0.0.1:${port}`,
    token: "",
    user: userInfo().username,
    port,
    quietCpu: async () => cpu(),
    begin: async () => {
      await settle(cpu);
      const before = cpu();
      return async () => {
        await settle(cpu);
        return { cpu: cpu() - before };
      };
    },
    close: () => stopProcess(child),
  };
}
