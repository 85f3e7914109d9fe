/**
 * Sequences of fetches that nobody thought of: depths, filters, wants by name and by object, pushes in between. A client of C git's
 * own upload-pack does the same beside it, and both have to end up with the same history.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GitSandbox } from "../support/git-client.ts";
import { FixtureStream, importFixture } from "../support/git-fixtures.ts";
import { onEveryHost } from "../support/git-hosts.ts";
import { pseudoRandom } from "../support/store.ts";

const COMMITS = 50;
const BRANCHES = ["main", "side", "other", "deep/one"];

/** A history with merges, branches and wrong clocks, the same for the same seed. */
function history(seed: number): FixtureStream {
  const random = pseudoRandom(seed);
  const stream = new FixtureStream();
  const marks: string[] = [];
  for (let at = 0; at < COMMITS; at++) {
    const branch = `refs/heads/${BRANCHES[random(BRANCHES.length)] ?? "main"}`;
    const pick = (): string | undefined => (marks.length === 0 ? undefined : marks[random(marks.length)]);
    const from = random(3) === 0 ? pick() : undefined;
    const merge = random(4) === 0 ? pick() : undefined;
    const options = {
      ...(from === undefined ? {} : { from }),
      ...(merge === undefined || merge === from ? {} : { merge }),
    };
    const files = [
      { path: `d${random(4)}/e${random(3)}/f${random(6)}`, content: `${"text\n".repeat(random(40))}${at}\n` },
      { path: `top-${random(5)}`, content: `${at}\n` },
    ];
    marks.push(stream.commit(branch, files, options));
    if (random(6) === 0) stream.tag(`t${at}`, marks.at(-1) ?? "");
  }
  for (const branch of BRANCHES) stream.reset(`refs/heads/${branch}`, marks[random(marks.length)] ?? "");
  return stream;
}

/**
 * One step of a client: arguments of `git fetch`. Not `--deepen`: before 2.54 git's server counts from each cut, and leaves cuts
 * that nothing reaches; this host counts from the refs, as later ones do.
 */
function step(random: (below: number) => number): string[] {
  const branch = BRANCHES[random(BRANCHES.length)] ?? "main";
  const depth = [
    [],
    [],
    [`--depth=${1 + random(6)}`],
    ["--unshallow"],
    [`--shallow-since=${1_700_000_000 + random(COMMITS * 60)} +0000`],
    [`--shallow-exclude=refs/heads/${branch}`],
  ][random(6)];
  const refspecs = [
    [],
    [`+refs/heads/${BRANCHES[random(BRANCHES.length)] ?? "main"}:refs/remotes/origin/x`],
    ["+refs/heads/*:refs/remotes/origin/*"],
    ["+refs/tags/*:refs/tags/*"],
  ][random(4)];
  // tags that follow by themselves differ between C git's own transports in version 0
  const tags = [["--no-tags"], ["--tags"]][random(2)];
  return ["fetch", "-q", ...(depth ?? []), ...(tags ?? []), "origin", ...(refspecs ?? [])];
}

async function stateOf(git: GitSandbox, cwd: string): Promise<unknown> {
  const shallow = join(cwd, "shallow");
  const commits = await git.git(["rev-list", "--all", "--objects"], { cwd });
  return {
    shallow: existsSync(shallow) ? readFileSync(shallow, "utf8").trim().split("\n").toSorted() : [],
    refs: (await git.ok(["for-each-ref"], { cwd })).split("\n"),
    objects: commits.stdout.split("\n").toSorted(),
    code: commits.code,
  };
}

const SEEDS = process.env["LONG"] === undefined ? [1, 2, 3] : Array.from({ length: 60 }, (_, seed) => seed + 1);

onEveryHost(
  "random fetches",
  (journey) => {
    let git: GitSandbox;
    beforeAll(() => {
      git = new GitSandbox("random");
    });
    afterAll(() => git.close());

    describe.each(SEEDS)("seed %i", (seed) => {
      it.each(["0", "2"])("protocol.version=%s", async (version) => {
        const source = await importFixture(git, `source-${seed}-${version}`, history(seed));
        const url = await journey.create();
        const random = pseudoRandom(seed * 1000 + Number(version));
        // the host gets its history in several packs, some thin
        for (const branch of BRANCHES)
          await git.ok(["push", "-q", url, `${branch}~3:refs/heads/${branch}`], { cwd: source }).catch(() => "");
        await git.ok(["push", "-q", "--mirror", url], { cwd: source });
        const config = ["-c", `protocol.version=${version}`];
        const clones = [git.fresh("theirs"), git.fresh("ours")] as const;
        const first =
          [[], ["--depth=2"], ["--depth=1", "--no-single-branch"], ["--single-branch", "--branch=side"]][random(4)] ??
          [];
        await git.ok([...config, "clone", "-q", "--bare", ...first, `file://${source}`, clones[0]]);
        await git.ok([...config, "clone", "-q", "--bare", ...first, url, clones[1]]);
        for (const [at, remote] of [`file://${source}`, url].entries()) {
          const cwd = clones[at] ?? "";
          await git.ok(["config", "remote.origin.url", remote], { cwd });
        }
        const steps: string[] = [`clone ${first.join(" ")}`];
        for (let at = 0; at < 6; at++) {
          const args = step(random);
          steps.push(args.join(" "));
          const theirs = await git.git([...config, ...args], { cwd: clones[0] });
          const ours = await git.git([...config, ...args], { cwd: clones[1] });
          expect({ steps, code: ours.code, stderr: ours.code === 0 ? "" : ours.stderr }).toEqual({
            steps,
            code: theirs.code,
            stderr: ours.code === 0 ? "" : ours.stderr,
          });
          expect({ steps, state: await stateOf(git, clones[1]) }).toEqual({
            steps,
            state: await stateOf(git, clones[0]),
          });
        }
        await git.ok(["fsck", "--strict", "--connectivity-only"], { cwd: clones[1] });
      });
    });
  },
  ["thinpack"],
);
