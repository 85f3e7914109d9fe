/** What is deployed is minified, and yet a trace in the log names functions, as the source has them. */
import { readFileSync, writeFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";
import { join } from "node:path";
import { expect, it } from "vitest";
import * as v from "valibot";
import { bundleWorker, WORKER_ENTRY } from "../../../scripts/worker-bundle.mjs";
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
  const [entry, bundle, mapFile] = [join(directory, "entry.ts"), join(directory, "worker.mjs"), join(directory, "map")];
  writeFileSync(entry, SOURCE);
  const text = await bundleWorker(entry, mapFile);
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

  const payload: SourceMapPayload = JSON.parse(readFileSync(mapFile, "utf8"));
  const at = text.indexOf("RangeError");
  const before = text.slice(0, at).split("\n");
  const found = new SourceMap(payload).findEntry(before.length - 1, before.at(-1)?.length ?? 0);
  expect(found).toMatchObject({ originalLine: 2 });
  expect("originalSource" in found ? found.originalSource : "").toMatch(/entry\.ts$/);
});

it("leaves out the words of the API's description, and nothing that requests are held to", async () => {
  const text = await bundleWorker(WORKER_ENTRY, join(scratchDirectory(), "map"));
  expect(text).not.toContain("Lists webhooks");
  expect(text).toContain("expires_in");
  expect(text).toContain("There is no such webhook.");
});
