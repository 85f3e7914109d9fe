/** What is deployed is minified, and yet a trace in the log names functions, as the source has them. */
import { cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import * as v from "valibot";
import { bundleWorker, sourcesDigest, WORKER_ENTRY } from "../../../scripts/worker-bundle.mjs";
import { scratchDirectory } from "../../support/scratch-directory.ts";

const SOURCE = `
class StoredPack {
  #findEntry(): never { throw new RangeError("deep"); }
  readEntry(): void { this.#findEntry(); }
}
const openStoredPack = (): void => {
  const localNameThatNobodyNeeds = new StoredPack();
  localNameThatNobodyNeeds.readEntry();
};
function walkHistory(): void {
  const visitCommit = (): void => openStoredPack();
  visitCommit();
}
export function trace(): string {
  try {
    walkHistory();
  } catch (error) {
    if (error instanceof Error) return error.stack ?? "";
  }
  return "";
}
`;

const MODULE = v.object({ trace: v.custom<() => string>((value) => typeof value === "function") });

it("keeps the names of functions and classes, and maps every position to the source", async () => {
  const directory = scratchDirectory();
  const entry = join(directory, "entry.ts");
  writeFileSync(entry, SOURCE);
  await bundleWorker(entry, directory);
  const text = readFileSync(join(directory, "worker.js"), "utf8");
  // By its ending Node takes it for a module.
  const bundle = join(directory, "worker.mjs");
  writeFileSync(bundle, text);
  expect(text).not.toContain("localNameThatNobodyNeeds");

  const { trace } = v.parse(MODULE, await import(/* @vite-ignore */ bundle));
  const lines = trace().split("\n").slice(1, 6);
  const names = lines.map((line) => /at (?:new )?(\S+) \(/.exec(line)?.[1]);
  expect(names).toEqual([
    "StoredPack.#findEntry",
    "StoredPack.readEntry",
    "openStoredPack",
    "visitCommit",
    "walkHistory",
  ]);

  const payload: SourceMapPayload = JSON.parse(readFileSync(join(directory, "worker.js.map"), "utf8"));
  const at = text.indexOf("RangeError");
  const before = text.slice(0, at).split("\n");
  const found = new SourceMap(payload).findEntry(before.length - 1, before.at(-1)?.length ?? 0);
  expect(found).toMatchObject({ originalLine: 2 });
  expect("originalSource" in found ? found.originalSource : "").toMatch(/entry\.ts$/);
});

it("tells two states of the sources apart", () => {
  const directory = scratchDirectory();
  mkdirSync(join(directory, "src", "web"), { recursive: true });
  mkdirSync(join(directory, "scripts"));
  for (const name of ["scripts/worker-bundle.mjs", "package-lock.json"]) cpSync(name, join(directory, name));
  const page = join(directory, "src", "web", "page.ts");
  const digests = ["a", "ab", "a"].map((text) => {
    writeFileSync(page, text);
    return sourcesDigest(directory);
  });
  expect(digests[2]).toBe(digests[0]);
  expect(digests[1]).not.toBe(digests[0]);
});

describe("the Worker's bundle", () => {
  const directory = scratchDirectory();
  const modules = new Map<string, string>();

  beforeAll(async () => {
    await bundleWorker(WORKER_ENTRY, directory);
    for (const name of globSync("**/*.js", { cwd: directory })) {
      modules.set(name, readFileSync(join(directory, name), "utf8"));
    }
  });

  it("leaves out the words of the API's description, and nothing that requests are held to", () => {
    const text = [...modules.values()].join("\n");
    expect(text).not.toContain("Lists webhooks");
    expect(text).toContain("expires_in");
    expect(text).toContain("There is no such webhook.");
    expect(text).toContain(sourcesDigest());
  });

  it("loads what a clone or a push does not run when it is first needed", () => {
    const loaded = new Set(["worker.js"]);
    // What has been added is looked at, too.
    for (const name of loaded) {
      const imports = (modules.get(name) ?? "").matchAll(/(?:from|import)\s*"\.\/(?:chunks\/)?(chunk-\w+\.js)"/g);
      for (const [, chunk] of imports) loaded.add(join("chunks", chunk ?? ""));
    }
    const text = [...loaded].map((name) => modules.get(name)).join("\n");
    expect(text.includes("git-receive-pack")).toBe(true);
    const later = ["There is no such webhook.", "Sign in", "highlight", "no point of a curve"];
    const all = [...modules.values()].join("\n");
    expect(later.filter((words) => !all.includes(words))).toEqual([]);
    expect(later.filter((words) => text.includes(words))).toEqual([]);
  });
});
