/**
 * Copies a repository out of the bucket, through the API: one snapshot of it, checked, or nothing.
 *
 * @packageDocumentation
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type ObjectFormat, objectFormat } from "../../src/object/object-id.ts";
import type { ApiConnection } from "./api-connection.ts";
import { intoNewDirectory } from "./export-staging.ts";
import { checkPacks, type ListedFile, listedFile, packNames, placeGraphs, writePackFile } from "./exported-packs.ts";
import { type ExportedRefs, formatPlainFiles, parseExportedRefs } from "./exported-refs.ts";
import { CommandFailure } from "./failure.ts";
import { git } from "./git-process.ts";
import { isCheckable, verifyCopy } from "./export-verification.ts";
import { type Json, listAt, objectAt, textAt } from "./json.ts";

/** The figures of a finished copy. */
export type Exported = { readonly files: number; readonly bytes: number; readonly refs: number };

/** Receives the progress. */
export interface ExportProgress {
  /** Called once, with the bytes of all packs. */
  begin(bytes: number): void;
  add(bytes: number): void;
  /** Called with the copy when it is whole and checked, and still in a directory of its own. */
  copied?(directory: string): Promise<void>;
}

/** How a copy keeps its refs: see git-refs(1). */
export type RefFormat = "files" | "reftable";

/** The host's description of the repository at one instant. */
type Snapshot = ExportedRefs & { readonly format: ObjectFormat; readonly files: readonly ListedFile[] };

function readSnapshot(answer: Json): Snapshot {
  const name = answer["object_format"];
  if (name !== "sha1" && name !== "sha256") {
    throw new CommandFailure(
      "the host does not say what an export needs: it and this command have to be of one version",
    );
  }
  const format = objectFormat(name);
  const contents = objectAt(answer, "contents");
  const [head, packedRefs] = ["HEAD", "packed-refs"].map((file) => Buffer.from(textAt(contents, file), "base64"));
  return {
    format,
    files: listAt(answer, "files").map(listedFile),
    ...parseExportedRefs(head ?? Buffer.alloc(0), packedRefs ?? Buffer.alloc(0), format),
  };
}

function repositoryName(path: string): string {
  return path.split("/").slice(2).map(decodeURIComponent).join("/");
}

/** What a copy is made of, and where. */
type Copying = {
  readonly api: ApiConnection;
  readonly path: string;
  readonly directory: string;
  readonly refFormat: RefFormat;
};

async function fill({ api, path, directory, refFormat }: Copying, progress?: ExportProgress): Promise<Exported> {
  const snapshot = readSnapshot(await api.ask("GET", `${path}/export`));
  const { format, refs } = snapshot;
  const packs = packNames(snapshot.files);
  const files = snapshot.files.filter(isCheckable);
  for (const name of ["info", "objects/info", "objects/pack", "refs/heads", "refs/tags"]) {
    mkdirSync(join(directory, name), { recursive: true });
  }
  progress?.begin(files.reduce((sum, { size }) => sum + size, 0));
  for (const file of files) {
    const { body } = await api.send("GET", `${path}/export/${file.key}`);
    await writePackFile(file, body, { directory, format, add: (count) => progress?.add(count) });
  }
  checkPacks(directory, files, { refs, format });
  placeGraphs(directory, files, format);
  let bytes = files.reduce((sum, { size }) => sum + size, 0);
  const plain = formatPlainFiles({ ...snapshot, repository: repositoryName(path), packs });
  for (const [name, content] of plain) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
    bytes += content.length;
  }
  await verifyCopy(directory, packs);
  if (refFormat === "reftable") await git(["--git-dir", directory, "refs", "migrate", "--ref-format=reftable"]);
  await progress?.copied?.(directory);
  return { files: files.length + plain.size, bytes, refs: refs.length };
}

/**
 * Copies the repository into `directory`, a bare repository, which must not be there or be empty. `path` is the
 * repository's in the API.
 *
 * @throws CommandFailure if anything is not right: then nothing is left
 */
export async function exportRepository(
  api: ApiConnection,
  path: string,
  { directory, refFormat = "files" }: { readonly directory: string; readonly refFormat?: RefFormat },
  progress?: ExportProgress,
): Promise<Exported> {
  return await intoNewDirectory(directory, (staging) => fill({ api, path, directory: staging, refFormat }, progress));
}
