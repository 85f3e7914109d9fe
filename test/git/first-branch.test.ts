/** Which branch a clone checks out where the repository was made before its first branch came. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { MirrorBed } from "../support/upstreams.ts";

const bed = new MirrorBed();
let source = "";

beforeAll(async () => {
  await bed.start();
  source = await importFixture(bed.git, "source", linear(3));
});
afterAll(() => bed.stop());

async function made(name: string, settings: object = {}): Promise<string> {
  const path = `acme/${name}`;
  expect((await bed.api("PUT", path, settings)).status).toBe(201);
  return path;
}

const pushed = async (path: string, ...refspecs: string[]): Promise<unknown> =>
  await bed.git.git(["push", "-q", bed.url(path), ...refspecs], { cwd: source });

/** What HEAD of a clone is, and what it names. */
async function cloned(path: string): Promise<[string, string]> {
  const { git } = bed;
  const cwd = git.fresh();
  await git.ok(["clone", "-q", bed.url(path), cwd]);
  const { stdout } = await git.git(["rev-parse", "-q", "--verify", "HEAD"], { cwd });
  return [await git.ok(["symbolic-ref", "HEAD"], { cwd }), stdout.trim()];
}

describe("the first branch of a repository", () => {
  it("is what a clone checks out, also if tags came first", async () => {
    const tip = await bed.git.ok(["rev-parse", "main"], { cwd: source });
    const path = await made("first");
    await pushed(path, "main:refs/tags/v1");
    await pushed(path, "main:refs/heads/trunk");
    expect(await cloned(path)).toEqual(["refs/heads/trunk", tip]);
    await pushed(path, "main~:refs/heads/main");
    expect(await cloned(path)).toEqual(["refs/heads/trunk", tip]);
  });

  it("is one that was accepted", async () => {
    const path = await made("refused");
    await pushed(path, "main:refs/tags/v1");
    await pushed(path, "--atomic", "main:refs/heads/master", "main~:refs/tags/v1");
    expect(await cloned(path)).toEqual(["refs/heads/main", ""]);
    await pushed(path, "main:refs/heads/master", "main~:refs/tags/v1", "main:refs/heads/a");
    expect((await cloned(path))[0]).toBe("refs/heads/master");
  });

  it("changes nothing if a default branch was chosen", async () => {
    const path = await made("chosen", { default_branch: "main" });
    await pushed(path, "main:refs/heads/master");
    expect(await cloned(path)).toEqual(["refs/heads/main", ""]);
  });

  it("becomes HEAD also of a repository that was an empty mirror", async () => {
    const empty = await bed.upstream();
    await bed.git.ok(["symbolic-ref", "HEAD", "refs/heads/never"], { cwd: empty.directory });
    const path = await bed.mirror(empty.url);
    expect((await cloned(path))[0]).toBe("refs/heads/never");
    expect((await bed.api("DELETE", `${path}/mirror`)).status).toBe(204);
    await pushed(path, "main:refs/heads/dev");
    expect((await cloned(path))[0]).toBe("refs/heads/dev");
  });
});
