/**
 * What is installed to start the host, what npm says meanwhile, and the kernel that is shipped built.
 *
 * @module-tag thorough
 */
import { spawnSync } from "node:child_process";
import {
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..", "..", "..");
const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "thinpack-install-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Gives the packages that the sources of a program import, at any depth. */
async function packagesOf(entry: string): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [join(root, entry)],
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    packages: "external",
    external: ["*.wasm", "cloudflare:*"],
    logLevel: "silent",
  });
  const paths = Object.values(metafile.inputs).flatMap(({ imports }) => imports.filter(({ external }) => external));
  const names = paths
    .map(({ path }) => path)
    .filter((path) => !isBuiltin(path) && !/\.wasm$|^cloudflare:|^node:/.test(path));
  return [
    ...new Set(
      names.map((path) =>
        path
          .split("/")
          .slice(0, path.startsWith("@") ? 2 : 1)
          .join("/"),
      ),
    ),
  ];
}

describe("dependencies", () => {
  it.each([
    "scripts/start.ts",
    "scripts/deploy.ts",
    "scripts/thinpack/main.ts",
    "scripts/build-package.mjs",
    "scripts/build-description.mjs",
    "scripts/description/main.ts",
    "src/worker.ts",
  ])("are all that %s imports", async (entry) => {
    const packages = await packagesOf(entry);
    expect(packages.length).toBeGreaterThan(0);
    expect(packages.filter((name) => dependencies[name] === undefined)).toEqual([]);
  });

  it("are no compilers, test runners or linters", () => {
    const tools = [
      "assemblyscript",
      "typescript",
      "vitest",
      "oxlint",
      "oxlint-tsgolint",
      "oxfmt",
      "knip",
      "fast-check",
    ];
    for (const tool of tools) expect([dependencies[tool], typeof devDependencies[tool]]).toEqual([undefined, "string"]);
  });
});

describe("installing", () => {
  /** Makes a bare clone, with an npm that waits for what is said of each of its steps. */
  function clone(): void {
    mkdirSync(join(directory, "scripts"), { recursive: true });
    mkdirSync(join(directory, "bin"), { recursive: true });
    cpSync(join(root, "scripts", "ensure-install.mjs"), join(directory, "scripts", "ensure-install.mjs"));
    const packages = {
      "": {},
      "node_modules/a": {},
      "node_modules/b": { dev: true },
      "node_modules/c": { optional: true },
    };
    writeFileSync(join(directory, "package-lock.json"), JSON.stringify({ packages }));
    const script = `#!/bin/sh
echo "$*" >> '${directory}/args'
if [ ! -f node_modules/a/package.json ]; then
  mkdir -p node_modules/a
  until grep -q ' 0 of ' stderr; do sleep 0.2; done
  echo {} > node_modules/a/package.json
  until grep -q ' 1 of ' stderr; do sleep 0.2; done
fi
case "$*" in *omit*) ;; *) mkdir -p node_modules/b ;; esac
touch node_modules/.package-lock.json
`;
    writeFileSync(join(directory, "bin", "npm"), script, { mode: 0o755 });
  }

  function install(part: string): { status: number | null; stderr: string; args: string } {
    writeFileSync(join(directory, "args"), "");
    const said = openSync(join(directory, "stderr"), "w");
    const { status } = spawnSync(process.execPath, ["scripts/ensure-install.mjs", part], {
      cwd: directory,
      env: { ...process.env, PATH: `${join(directory, "bin")}:${process.env["PATH"] ?? ""}` },
      stdio: ["ignore", "ignore", said],
    });
    closeSync(said);
    const stderr = readFileSync(join(directory, "stderr"), "utf8");
    return { status, stderr, args: readFileSync(join(directory, "args"), "utf8") };
  }

  it("says what it does while it lasts, takes what is asked for, and does nothing where that is there", () => {
    clone();
    const first = install("start");
    expect(first).toMatchObject({ status: 0, args: expect.stringContaining("--omit=dev") });
    const lines = first.stderr.trim().split("\n");
    expect(lines[0]).toBe("thinpack: installing 1 packages (up to 500 MB), which takes about a minute");
    expect(lines.slice(1).length).toBeGreaterThanOrEqual(2);
    for (const line of lines.slice(1)) expect(line).toMatch(/^thinpack: still installing, \d+ s, [01] of 1 packages$/);
    // npm makes the directory of a package before it has the package.
    expect(lines[1]).toContain(" 0 of 1 ");
    expect(lines.at(-1)).toContain(" 1 of 1 ");
    expect(install("start")).toEqual({ status: 0, stderr: "", args: "" });
    expect(install("all")).toMatchObject({ status: 0, args: expect.not.stringContaining("--omit") });
    expect(install("all")).toEqual({ status: 0, stderr: "", args: "" });
  });

  it("keeps the packages of the tests where they are there already", () => {
    clone();
    mkdirSync(join(directory, "node_modules", "vitest"), { recursive: true });
    expect(install("start")).toMatchObject({ status: 0, args: expect.not.stringContaining("--omit") });
  });
});

describe("the kernel", () => {
  function buildKernel(...args: string[]): { status: number | null; stderr: string } {
    const { status, stderr } = spawnSync(process.execPath, [join(directory, "scripts", "build-kernel.ts"), ...args], {
      encoding: "utf8",
    });
    return { status, stderr };
  }

  it("is what the sources give, and needs no compiler while they are the same", () => {
    for (const path of ["package.json", "scripts/build-kernel.ts", "src/kernel"]) {
      cpSync(join(root, path), join(directory, path), { recursive: true });
    }
    expect(buildKernel()).toEqual({ status: 0, stderr: "" });
    const source = join(directory, "src", "kernel", "wasm", "exports.ts");
    const before = readFileSync(source, "utf8");
    writeFileSync(source, `${before}// changed\n`);
    expect(buildKernel()).toMatchObject({ status: 1, stderr: expect.stringContaining("npm install") });
    writeFileSync(source, before);
    symlinkSync(join(root, "node_modules"), join(directory, "node_modules"));
    expect(buildKernel("--check")).toEqual({ status: 0, stderr: "" });
    const wasm = join(directory, "src", "kernel", "kernel.wasm");
    const bytes = readFileSync(wasm);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(wasm, bytes);
    expect(buildKernel("--check")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("src/kernel/kernel.wasm is not what src/kernel/wasm gives"),
    });
  });
});
