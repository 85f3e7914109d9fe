/**
 * Hostile archives and pushes: small packs that ask for much work.
 *
 * @packageDocumentation
 */
import { buildPack, commitOf, objectId, type RawEntry, treeOf, ZERO } from "../../test/support/git-raw.ts";
import { bombPack, directoryPack, longSection, starredFiles, tagChainPack } from "../../test/support/hostile.ts";
import type { HostileBed, HostileInput } from "./hostile-bed.ts";

/** Archives that have no end, or patterns without one. */
export async function archiveInputs(bed: HostileBed): Promise<HostileInput[]> {
  const stars = await bed.plant("attributes", directoryPack(starredFiles(500, 20)));
  const inputs: HostileInput[] = [
    {
      name: "archive: 500 patterns of 1,000 stars",
      send: async () => await bed.get(`${stars}/archive/main.tar`),
    },
  ];
  for (const [name, prefix] of [
    ["bomb", "n"],
    ["bomb-of-long-names", "name".repeat(50)],
  ] as const) {
    const path = await bed.plant(name, bombPack(32, 10, prefix));
    for (const format of ["tar", "tar.gz", "zip"]) {
      inputs.push({
        name: `archive: ${name.replaceAll("-", " ")}, ${format}`,
        mayBreakOff: true,
        send: async () => await bed.get(`${path}/archive/main.${format}`),
      });
    }
    inputs.push({
      name: `tree of ${name.replaceAll("-", " ")} in GitHub's shape`,
      send: async () => await bed.ask("GET", `/api/v3/repos/${path}/git/trees/main?recursive=1`),
    });
  }
  return inputs;
}

/** Pushes whose checks could take long. Each is sent to a repository of its own. */
export function pushInputs(bed: HostileBed): HostileInput[] {
  const inputs = (
    [
      [100_000, 25_000],
      [250_000, 60_000],
      [2_000_000, 1_000_000],
    ] as const
  ).map(([length, variables]): HostileInput => {
    const { pack, tip } = directoryPack({ ".gitmodules": longSection(length, variables) });
    return {
      name: `push: .gitmodules of ${variables.toLocaleString("en-US")} variables in a long section`,
      send: async () => await bed.push(await bed.make("modules"), { "refs/heads/main": tip }, pack),
    };
  });
  const { pack, tags } = tagChainPack(bed.size(5000));
  const outermost = tags.at(-1) ?? ZERO;
  const count = bed.size(4000);
  const refs = Object.fromEntries(Array.from({ length: count }, (_, i) => [`refs/tags/t${i}`, outermost]));
  const chain = `${count.toLocaleString("en-US")} refs to a chain of ${tags.length.toLocaleString("en-US")} tags`;
  inputs.push({ name: `push: ${chain}`, send: async () => await bed.push(await bed.make("tags"), refs, pack) });
  return [...inputs, namesAndRules(bed, bed.size(250)), namesAndRules(bed, bed.size(80))];
}

/** A push of long names to a repository whose rules search each of them. */
function namesAndRules(bed: HostileBed, count: number): HostileInput {
  const commit = commitOf(objectId("tree", ""));
  const pack = buildPack([
    { type: "tree", content: "" },
    { type: "commit", content: commit },
  ]);
  const tail = `${"y".repeat(200)}/`.repeat(19);
  const names = Array.from({ length: count }, (_, i) => `refs/heads/${tail}${i}`);
  const refs = Object.fromEntries(names.map((name) => [name, objectId("commit", commit)]));
  const rules = Array.from({ length: 100 }, (_, i) => ({ pattern: `*yx${i}*` }));
  return {
    name: `push: ${names.length.toLocaleString("en-US")} names of 4,000 bytes with 100 rules that search them`,
    send: async () => {
      const path = await bed.make("rules");
      await bed.ask("PATCH", `/api/v1/repos/${path}`, { protected: rules });
      return await bed.push(path, refs, pack);
    },
  };
}

/** A log that finds nothing in wide directories. */
export async function logInputs(bed: HostileBed): Promise<HostileInput[]> {
  const blob = objectId("blob", "");
  const rows = Array.from({ length: 20_000 }, (_, i): [string, string, string] => ["100644", `f${10_000 + i}`, blob]);
  const wide = treeOf(...rows);
  const entries: RawEntry[] = [
    { type: "blob", content: "" },
    { type: "tree", content: wide },
  ];
  let tip = "";
  for (let i = 0; i < bed.size(5000); i++) {
    const root = treeOf(["100644", `a${i}`, blob], ["40000", "wide", objectId("tree", wide)]);
    const content = commitOf(objectId("tree", root), tip === "" ? [] : [tip]);
    tip = objectId("commit", content);
    entries.push({ type: "tree", content: root }, { type: "commit", content });
  }
  const path = await bed.plant("wide", { pack: buildPack(entries), tip });
  return [
    {
      name: "log of a path in directories of 20,000 files",
      send: async () => await bed.get(`${path}/commits?path=wide/nothing`),
    },
    { name: "page of a directory of 20,000 files", send: async () => await bed.ask("GET", `/${path}/tree/main/wide`) },
  ];
}
