/** `deepen-not`: which refs it may name, beside C git, and what of a repository's refs it brings along. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { decodeRefRows } from "../../../../src/refs/ref-rows.ts";
import { serveReceivePack } from "../../../../src/service/push/receive-pack.ts";
import { serveV2 } from "../../../../src/service/serve-v2.ts";
import { pushBody } from "../../../support/git-raw.ts";
import { GitSandbox } from "../../../support/git-client.ts";
import { importFixture, linear } from "../../../support/git-fixtures.ts";
import { pktBytes, pktText } from "../../../support/pkt.ts";
import { MemoryService, NEW_REPOSITORY, askGit, linesBeforePack } from "../memory-service.ts";

describe("deepen-not", () => {
  const git = new GitSandbox("deepen-not");
  const host = new MemoryService();
  let bare = "";
  let tip = "";

  beforeAll(async () => {
    bare = await importFixture(git, "bare", linear(20));
    tip = await git.ok(["rev-parse", "main"], { cwd: bare });
    const refs: [string, number][] = [
      ["refs/tags/v1", 3],
      ["refs/heads/twice", 5],
      ["refs/tags/twice", 6],
      ["refs/remotes/there/HEAD", 7],
      ["refs/remotes/there/topic", 8],
      ["refs/notes/x", 9],
    ];
    for (let at = 10; at < 20; at++) refs.push([`refs/tags/v${at}`, 4], [`refs/heads/v1/${at}`, 4]);
    for (const [name, back] of refs) await git.ok(["update-ref", name, `main~${20 - back}`], { cwd: bare });
    const shown = await git.ok(["for-each-ref", "--format=%(objectname) %(refname)"], { cwd: bare });
    const commands = shown.split("\n").map((line) => ({ new: line.slice(0, 40), name: line.slice(41) }));
    const pack = await git.bytes(["pack-objects", "--all", "--stdout", "-q"], { cwd: bare });
    await host.run(serveReceivePack, pushBody(commands, pack), { create: NEW_REPOSITORY });
  });
  afterAll(() => git.close());

  const request = (...names: string[]): Uint8Array =>
    pktBytes(
      "command=fetch",
      "object-format=sha1",
      "0001",
      `want ${tip}`,
      ...names.map((name) => `deepen-not ${name}`),
      "done",
      "0000",
    );

  it.each(["v1", "tags/v1", "refs/tags/v1", "v12", "heads/twice", "there", "there/topic", "notes/x", "v1 there/topic"])(
    "resolves %s as C git does",
    async (names) => {
      const asked = request(...names.split(" "));
      const { body } = await host.run(serveV2, asked);
      const lines = linesBeforePack(body);
      expect(lines.join("\n")).toMatch(/^shallow-info\\n\nshallow [0-9a-f]{40}/);
      expect(lines).toEqual(linesBeforePack(await askGit(git, "upload-pack", bare, { input: asked, version: 2 })));
    },
  );

  it.each([
    // HEAD is what is wanted: nothing of it is left
    ["HEAD", "no commits selected for shallow requests"],
    ["twice", "git upload-pack: ambiguous deepen-not: deepen-not twice"],
    ["v", "git upload-pack: deepen-not is not a ref: deepen-not v"],
    ["heads/v1", "git upload-pack: deepen-not is not a ref: deepen-not heads/v1"],
    ["refs/heads/", "git upload-pack: deepen-not is not a ref: deepen-not refs/heads/"],
    ["head", "git upload-pack: deepen-not is not a ref: deepen-not head"],
  ])("refuses %s", async (name, words) => {
    const { body } = await host.run(serveV2, request(name));
    expect(pktText(body)).toEqual([`ERR ${words}`]);
  });

  it("reads the rows of the refs that it names, and of no others", async () => {
    const opening = vi.spyOn(host.refs, "open");
    const { calls } = await host.run(serveV2, request("v1", "there"));
    const answers = await Promise.all(opening.mock.results.map(({ value }) => value));
    opening.mockRestore();
    expect(calls).toEqual(["open"]);
    const rows = answers.flatMap((answer) => (answer?.kind === "found" ? [...decodeRefRows(answer.refs, 20)] : []));
    expect(rows.map(({ name }) => name).sort()).toEqual(["refs/remotes/there/HEAD", "refs/tags/v1"]);
  });
});
