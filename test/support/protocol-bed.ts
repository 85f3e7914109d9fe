/**
 * One history on two servers, C git's and a running host's, and what each of them answers to the same bytes.
 *
 * C git is asked by the program that `git http-backend` runs for such a request (`git upload-pack --stateless-rpc`): so its exit code can be
 * seen, which says whether it died.
 *
 * @packageDocumentation
 * @see git-http-backend(1), http-backend.c `service_rpc()`
 */
import type { GitSandbox } from "./git-client.ts";
import { runGitApart } from "./git-parent.ts";
import { post } from "./git-raw.ts";
import { type KnownObject, namesInPack } from "./pack-names.ts";
import { COMMAND_LIMIT } from "./time-limits.ts";
import { type FetchAnswer, readFetchAnswer } from "./upload-answer.ts";

/** The services that take requests of pkt-lines. */
export type Service = "upload-pack" | "receive-pack";

/** What a server said to some bytes. */
export type Said = {
  readonly body: Buffer;
  /** Whether it failed by its exit code or its status: C git may die without a word. */
  readonly died: boolean;
  /** Its words for whoever reads a failed test. */
  readonly words: string;
};

/** Asks C git. `directory` is a bare repository. */
export async function askGit(
  git: GitSandbox,
  directory: string,
  { service, version, body }: { readonly service: Service; readonly version: number; readonly body: Uint8Array },
): Promise<Said> {
  const env = git.environment(version === 0 ? {} : { GIT_PROTOCOL: `version=${version}` });
  const { code, stdout, stderr } = await runGitApart({
    args: [service, "--stateless-rpc", directory],
    cwd: git.directory,
    env,
    input: body,
    timeout: COMMAND_LIMIT,
  });
  return { body: Buffer.from(stdout), died: code !== 0, words: stderr };
}

/** Asks a running host. `url` is the repository's, with the credentials in it. */
export async function askHost(
  url: string,
  { service, version, body }: { readonly service: Service; readonly version: number; readonly body: Uint8Array },
): Promise<Said & { readonly status: number }> {
  const headers: Record<string, string> = version === 0 ? {} : { "Git-Protocol": `version=${version}` };
  const answer = await post(url, service, body, headers);
  return { body: answer.body, died: answer.status !== 200, words: "", status: answer.status };
}

/** Reads all objects of a bare repository, by their names. */
export async function objectsOf(git: GitSandbox, directory: string): Promise<Map<string, KnownObject>> {
  const bytes = await git.bytes(["cat-file", "--batch", "--batch-all-objects", "--unordered"], { cwd: directory });
  const objects = new Map<string, KnownObject>();
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf("\n", at);
    const [oid = "", type = "", size = "0"] = bytes.toString("latin1", at, end).split(" ");
    const content = bytes.subarray(end + 1, end + 1 + Number(size));
    objects.set(oid, { type, content });
    at = end + 2 + content.length;
  }
  return objects;
}

/** The names that an object refers to, gitlinks aside. */
function referredBy({ type, content }: KnownObject): string[] {
  if (type === "blob") return [];
  if (type !== "tree") {
    const head = content.toString("latin1").split("\n\n")[0] ?? "";
    return [...head.matchAll(/^(?:tree|parent|object) ([0-9a-f]{40})$/gm)].map(([, oid = ""]) => oid);
  }
  const names: string[] = [];
  for (let at = 0; at < content.length;) {
    const end = content.indexOf(0, at);
    if (!content.toString("latin1", at, end).startsWith("160000"))
      names.push(content.toString("hex", end + 1, end + 21));
    at = end + 21;
  }
  return names;
}

/** All that objects reach, themselves included, where the history of some commits is cut behind them. */
export function closureOf(
  objects: ReadonlyMap<string, KnownObject>,
  tips: Iterable<string>,
  cuts: ReadonlySet<string>,
): Set<string> {
  const reached = new Set<string>();
  const left = [...tips];
  for (let oid = left.pop(); oid !== undefined; oid = left.pop()) {
    const object = objects.get(oid);
    if (object === undefined || reached.has(oid)) continue;
    reached.add(oid);
    const isCut = object.type === "commit" && cuts.has(oid);
    left.push(...(isCut ? referredBy(object).slice(0, 1) : referredBy(object)));
  }
  return reached;
}

/** What came of a fetch: that it was refused, or what came, with the names of the objects of a pack. */
export type FetchVerdict =
  | { readonly kind: "refused" }
  | { readonly kind: "answered"; readonly told: FetchAnswer["told"]; readonly sent: ReadonlySet<string> | undefined };

/** Reads a verdict out of what a server said. */
export function fetchVerdict(
  { body, died }: Said,
  isSidebandAll: boolean,
  objects: ReadonlyMap<string, KnownObject>,
): FetchVerdict {
  const answer = readFetchAnswer(body, isSidebandAll);
  if (died || answer.isRefusal) return { kind: "refused" };
  const sent = answer.pack === undefined ? undefined : new Set(namesInPack(answer.pack, objects));
  return { kind: "answered", told: answer.told, sent };
}
