/**
 * Clients of packages that fetch from here: npm, pip, cargo, Go, Terraform and Nix, each by the address that its manual
 * gives for sources in Git or in archives, and git's own submodules.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, request as openRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runProgram } from "../support/clients/git-client-program.ts";
import { type Journey, onEveryHost } from "../support/git-hosts.ts";

/** A project that is a package of each kind. Nothing of it needs anything else. */
const FILES: Readonly<Record<string, string>> = {
  "package.json": JSON.stringify({ name: "widgets", version: "1.0.0", main: "index.js" }),
  "index.js": 'module.exports = "npm";\n',
  "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
  // A build backend of its own, so that no package has to come from elsewhere.
  "backend.py": `
import os, zipfile
NAME = "widgets-1.0.0-py3-none-any.whl"
META = "Metadata-Version: 2.1\\nName: widgets\\nVersion: 1.0.0\\n"
WHEEL = "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
def build_wheel(directory, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(os.path.join(directory, NAME), "w") as wheel:
        wheel.write("widgets.py")
        wheel.writestr("widgets-1.0.0.dist-info/METADATA", META)
        wheel.writestr("widgets-1.0.0.dist-info/WHEEL", WHEEL)
        wheel.writestr("widgets-1.0.0.dist-info/RECORD", "widgets.py,,\\nwidgets-1.0.0.dist-info/METADATA,,\\nwidgets-1.0.0.dist-info/WHEEL,,\\nwidgets-1.0.0.dist-info/RECORD,,\\n")
    return NAME
`,
  "widgets.py": 'NAME = "pip"\n',
  "Cargo.toml": '[package]\nname = "widgets"\nversion = "1.0.0"\nedition = "2018"\n',
  "src/lib.rs": 'pub fn name() -> &\'static str { "cargo" }\n',
  "widgets.go": 'package widgets\n\nconst Name = "go"\n',
  "sub/sub.go": 'package sub\n\nconst Name = "go, below"\n',
  "main.tf": 'output "name" {\n  value = "terraform"\n}\n',
};

/** Whether a program is here, and the reason to skip its journey if it is not. */
function missing(program: string, ...args: string[]): string | undefined {
  return spawnSync(program, args, { stdio: "ignore" }).status === 0 ? undefined : `${program} is not installed`;
}

const PYTHON = ["/usr/bin/python3", "python3"].find(
  (program) => missing(program, "-m", "pip", "--version") === undefined,
);
const MISSING = {
  npm: missing("npm", "--version"),
  pip: PYTHON === undefined ? "pip is not installed" : undefined,
  cargo: missing("cargo", "--version"),
  go: missing("go", "version"),
  terraform: missing("terraform", "version"),
  nix: missing("nix-prefetch-url", "--version"),
};

/**
 * Whether a client is missing. In continuous integration only what Debian does not have may be.
 *
 * @throws Error for another one there.
 */
function lacks(client: keyof typeof MISSING): boolean {
  const reason = MISSING[client];
  if (reason !== undefined && process.env["CI"] !== undefined && client !== "terraform") throw new Error(reason);
  return reason !== undefined;
}

/** Returns the end of a title, which says why the journey is skipped where the client is missing. */
function whySkipped(client: keyof typeof MISSING): string {
  const reason = MISSING[client];
  return reason === undefined ? "" : ` (skipped: ${reason})`;
}

/** The name under which Go finds the host: a module's path can have no port. */
const GO_HOST = "git.example";

/** Starts a proxy by which clients find the host under another name, as they would a deployed one. */
async function startProxy(base: string): Promise<Server> {
  const { hostname, port } = new URL(base);
  const server = createServer((asked, answer) => {
    const { host, pathname, search } = new URL(asked.url ?? "", "http://none");
    const headers = { ...asked.headers, host };
    const sent = openRequest({ hostname, port, path: pathname + search, method: asked.method, headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    sent.on("error", () => answer.destroy());
    asked.pipe(sent);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return server;
}

/** A repository with tag v1.0.0, in which all of {@link FILES} is, and the addresses by which clients ask for it. */
type Widgets = { readonly name: string; readonly oid: string; readonly url: string; readonly archives: string };

async function pushWidgets(journey: Journey, settings: Record<string, string>): Promise<Widgets> {
  const { git, base } = journey;
  const cwd = await git.init();
  const url = await journey.create("widgets", settings);
  const name = new URL(url).pathname.slice(1).replace(/\.git$/, "");
  const files = { ...FILES, "go.mod": `module ${GO_HOST}/${name}\n\ngo 1.18\n` };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(cwd, path, ".."), { recursive: true });
    writeFileSync(join(cwd, path), content);
  }
  await git.ok(["add", "-A"], { cwd });
  await git.ok(["commit", "-q", "-m", "widgets"], { cwd });
  await git.ok(["tag", "v1.0.0"], { cwd });
  await git.ok(["push", "-q", url, "main", "v1.0.0"], { cwd });
  const { username, password } = new URL(url);
  const archives = new URL(`${base}/api/v1/repos/${name}/archive`);
  Object.assign(archives, { username, password });
  return { name, oid: await git.ok(["rev-parse", "HEAD"], { cwd }), url, archives: archives.href };
}

onEveryHost(
  "package managers",
  (journey) => {
    let widgets: Widgets;
    const fresh = (name: string): { cwd: string; env: Record<string, string> } => {
      const cwd = journey.git.fresh(name);
      mkdirSync(join(cwd, "home"), { recursive: true });
      const env = { HOME: join(cwd, "home"), GIT_CONFIG_NOSYSTEM: "1", GIT_TERMINAL_PROMPT: "0" };
      return { cwd, env };
    };

    beforeAll(async () => {
      widgets = await pushWidgets(journey, {});
    });

    describe.each(["git", "archive"])("from %s", (from) => {
      it.skipIf(lacks("npm"))(`npm installs a private package${whySkipped("npm")}`, async () => {
        const { cwd, env } = fresh("npm");
        writeFileSync(join(cwd, "package.json"), JSON.stringify({ name: "user", version: "1.0.0" }));
        const source = from === "git" ? `git+${widgets.url}#semver:^1.0.0` : `${widgets.archives}/v1.0.0.tar.gz`;
        await runProgram("npm", ["install", "--no-audit", "--no-fund", `--cache=${join(cwd, "cache")}`, source], {
          cwd,
          env,
        });
        expect(execFileSync("node", ["-p", 'require("widgets")'], { cwd }).toString()).toBe("npm\n");
        if (from === "git") expect(readFileSync(join(cwd, "package-lock.json"), "utf8")).toContain(widgets.oid);
      });

      it.skipIf(lacks("pip"))(`pip installs a private package${whySkipped("pip")}`, async () => {
        const { cwd, env } = fresh("pip");
        const source = from === "git" ? `git+${widgets.url}@v1.0.0` : `${widgets.archives}/v1.0.0.tar.gz`;
        const options = ["--no-index", "--no-deps", "--no-cache-dir", "--disable-pip-version-check", "--target=to"];
        await runProgram(PYTHON ?? "", ["-m", "pip", "install", ...options, `widgets @ ${source}`], { cwd, env });
        expect(readFileSync(join(cwd, "to", "widgets.py"), "utf8")).toBe(FILES["widgets.py"]);
      });

      it.skipIf(lacks("terraform"))(`terraform gets a private module${whySkipped("terraform")}`, async () => {
        const { cwd, env } = fresh("terraform");
        const source = from === "git" ? `git::${widgets.url}?ref=v1.0.0` : `${widgets.archives}/v1.0.0.tar.gz//*`;
        writeFileSync(join(cwd, "main.tf"), `module "widgets" {\n  source = "${source}"\n}\n`);
        await runProgram("terraform", ["init", "-input=false"], { cwd, env: { ...env, CHECKPOINT_DISABLE: "1" } });
        const got = JSON.parse(readFileSync(join(cwd, ".terraform/modules/modules.json"), "utf8"));
        const directory = got.Modules.find(({ Key }: { Key: string }) => Key === "widgets").Dir;
        expect(readFileSync(join(cwd, directory, "main.tf"), "utf8")).toBe(FILES["main.tf"]);
      });
    });

    it.skipIf(lacks("cargo"))(`cargo fetches a private dependency${whySkipped("cargo")}`, async () => {
      const { cwd, env } = fresh("cargo");
      mkdirSync(join(cwd, "src"));
      writeFileSync(join(cwd, "src/lib.rs"), "");
      writeFileSync(
        join(cwd, "Cargo.toml"),
        `[package]\nname = "user"\nversion = "1.0.0"\nedition = "2018"\n[dependencies]\nwidgets = { git = "${widgets.url}", tag = "v1.0.0" }\n`,
      );
      const cargo = {
        CARGO_HOME: join(cwd, "cargo-home"),
        ...(process.env["HOME"] && { RUSTUP_HOME: join(process.env["HOME"], ".rustup") }),
      };
      await runProgram("cargo", ["fetch"], { cwd, env: { ...env, ...cargo } });
      expect(readFileSync(join(cwd, "Cargo.lock"), "utf8")).toContain(`?tag=v1.0.0#${widgets.oid}`);
    });

    describe("that anybody may read", () => {
      let proxy: Server;
      let open: Widgets;
      beforeAll(async () => {
        open = await pushWidgets(journey, { visibility: "public" });
        proxy = await startProxy(journey.base);
      });
      afterAll(() => void proxy.close());

      it.skipIf(lacks("go"))(`go gets a module and a package below it${whySkipped("go")}`, async () => {
        const { cwd, env } = fresh("go");
        const { port } = proxy.address() as AddressInfo;
        const via = `http://127.0.0.1:${port}`;
        const module = `${GO_HOST}/${open.name}`;
        const go = {
          ...env,
          GOPATH: join(cwd, "path"),
          GOCACHE: join(cwd, "cache"),
          GOPROXY: "direct",
          GONOSUMDB: "*",
          GOINSECURE: "*",
          GOFLAGS: "-mod=mod -modcacherw",
          GOTOOLCHAIN: "local",
          HTTP_PROXY: via,
          http_proxy: via,
        };
        writeFileSync(join(cwd, "go.mod"), "module user.example/user\n\ngo 1.18\n");
        writeFileSync(
          join(cwd, "main.go"),
          `package main\n\nimport "${module}/sub"\n\nfunc main() { println(sub.Name) }\n`,
        );
        await runProgram("go", ["get", `${module}/sub@v1.0.0`], { cwd, env: go });
        expect(readFileSync(join(cwd, "go.mod"), "utf8")).toContain(`${module} v1.0.0`);
        await runProgram("go", ["vet", "."], { cwd, env: go });
      });

      it.skipIf(lacks("nix"))(`nix takes an archive apart${whySkipped("nix")}`, async () => {
        const { cwd, env } = fresh("nix");
        const nix = { ...env, NIX_REMOTE: `local?root=${join(cwd, "root")}`, NIX_CONF_DIR: cwd };
        const address = `${journey.base}/api/v1/repos/${open.name}/archive/v1.0.0.tar.gz`;
        const said = await runProgram("nix-prefetch-url", ["--unpack", "--print-path", address], { cwd, env: nix });
        const path = said.trim().split("\n").at(-1) ?? "";
        expect(readFileSync(join(cwd, "root", path, "index.js"), "utf8")).toBe(FILES["index.js"]);
      });
    });
  },
  ["thinpack"],
);

onEveryHost("submodules", (journey) => {
  it("are cloned by addresses relative to their repository's, and by absolute ones", async () => {
    const { git } = journey;
    const part = await git.init();
    writeFileSync(join(part, "part"), "a part\n");
    await git.ok(["add", "-A"], { cwd: part });
    await git.ok(["commit", "-q", "-m", "part"], { cwd: part });
    const partUrl = await journey.create("part");
    await git.ok(["push", "-q", partUrl, "main"], { cwd: part });
    const whole = await git.init();
    const wholeUrl = await journey.create("whole");
    await git.ok(["remote", "add", "origin", wholeUrl], { cwd: whole });
    await git.ok(["submodule", "--quiet", "add", `../${partUrl.split("/").at(-1)}`, "relative"], { cwd: whole });
    await git.ok(["submodule", "--quiet", "add", partUrl, "absolute"], { cwd: whole });
    await git.ok(["commit", "-q", "-m", "whole"], { cwd: whole });
    await git.ok(["push", "-q", "origin", "main"], { cwd: whole });
    const clone = git.fresh("clone");
    await git.ok(["clone", "-q", "--recurse-submodules", "--shallow-submodules", wholeUrl, clone]);
    for (const directory of ["relative", "absolute"]) {
      expect(existsSync(join(clone, directory, "part"))).toBe(true);
    }
  });
});
