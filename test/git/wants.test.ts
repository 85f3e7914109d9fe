/** Ways to ask for objects that the real client takes rarely, or only when it is configured to. */
import { describe, expect, it } from "vitest";
import { everything, importFixture } from "../support/git-fixtures.ts";
import { type Journey, onEveryHost } from "../support/git-hosts.ts";
import { packOf, parsePkts, pkt, pktLines, post } from "../support/git-raw.ts";

const V2 = { "Git-Protocol": "version=2" };

onEveryHost("wants", (journey) => {
  /** A remote with everything, a repository that has it, too, and how to ask it. */
  async function filled(): Promise<{ url: string; source: string; oid: (name: string) => Promise<string> }> {
    const { git } = journey;
    const source = await importFixture(git, "source", everything());
    const url = await journey.create();
    await git.ok(["push", "-q", "--mirror", url], { cwd: source });
    return { url, source, oid: (name) => git.ok(["rev-parse", name], { cwd: source }) };
  }

  async function fetched({ git }: Journey, pack: Buffer): Promise<string> {
    const directory = await git.init("taker", "--bare");
    await git.ok(["index-pack", "--stdin", "--strict"], { cwd: directory, input: pack });
    return directory;
  }

  describe("by the name of a ref", () => {
    /** C git's server answers these only where it is told to. */
    async function allowed({ host, git }: Journey, url: string): Promise<void> {
      if (host !== "c git") return;
      const cwd = git.path("srv", new URL(url).pathname.slice(1));
      await git.ok(["config", "uploadpack.allowRefInWant", "true"], { cwd });
    }

    it("are answered with the ref's value", async () => {
      const { url, oid } = await filled();
      await allowed(journey, url);
      const request = pktLines("command=fetch", "0001", "want-ref refs/heads/side", "no-progress", "done", "0000");
      const { body } = await post(url, "upload-pack", request, V2);
      const side = await oid("side");
      const lines = parsePkts(body).map((line) => line.toString("latin1").trimEnd());
      expect(lines.slice(0, 4)).toEqual(["wanted-refs", `${side} refs/heads/side`, "0001", "packfile"]);
      const copy = await fetched(journey, packOf(body));
      await journey.git.ok(["update-ref", "refs/heads/side", side], { cwd: copy });
      await journey.git.fsck(copy);
    });

    it("are refused if there is no such ref", async () => {
      const { url } = await filled();
      await allowed(journey, url);
      const request = pktLines("command=fetch", "0001", "want-ref refs/heads/none", "done", "0000");
      const { body } = await post(url, "upload-pack", request, V2);
      expect(body.toString()).toContain("ERR unknown ref refs/heads/none");
    });
  });

  it("are answered over side-bands from the first line on, if that is asked for", async () => {
    const { url, oid } = await filled();
    const main = await oid("main");
    const side = await oid("side");
    const lines = ["sideband-all", "no-progress", `want ${main}`, `have ${side}`];
    const { body } = await post(url, "upload-pack", pktLines("command=fetch", "0001", ...lines, "0000"), V2);
    const text = parsePkts(body).map((line) => line.toString("latin1").trimEnd());
    expect(text.slice(0, 2)).toEqual(["\u0001acknowledgments", `\u0001ACK ${side}`]);
    for (const line of text) expect(["\u0001", "\u0002", "0"]).toContain(line[0]);
  });

  it("are refused over side-bands in git's words and no others", async () => {
    const { url } = await filled();
    const missing = "1".repeat(40);
    const lines = ["sideband-all", `want ${missing}`, "done", "0000"];
    const { body } = await post(url, "upload-pack", pktLines("command=fetch", "0001", ...lines), V2);
    expect(parsePkts(body)[0]?.toString("latin1")).toBe(`\u0003upload-pack: not our ref ${missing}`);
    const { git } = journey;
    const cwd = await git.init("asker");
    const { stderr } = await git.git(["fetch", url, missing], { cwd });
    expect(stderr).toContain(`fatal: remote error: upload-pack: not our ref ${missing}`);
  });

  it("of an older branch are ready as soon as the client has a younger one from the same commit", async () => {
    const { url, oid } = await filled();
    const lines = [`want ${await oid("side")}`, `have ${await oid("light")}`, "no-progress", "0000"];
    const { body } = await post(url, "upload-pack", pktLines("command=fetch", "0001", ...lines), V2);
    const text = parsePkts(body).map((line) => line.toString("latin1").trimEnd());
    expect(text.slice(0, 4)).toEqual(["acknowledgments", `ACK ${await oid("light")}`, "ready", "0001"]);
  });

  it.each([0, 1, 2, 3, 9])("of trees bring what is in them, to a depth of %d", async (depth) => {
    const { url, source, oid } = await filled();
    for (const name of ["main^{tree}", "main:a", "main:a/b"]) {
      const wanted = await oid(name);
      const lines = [`want ${wanted}`, `filter tree:${depth}`, "no-progress", "done", "0000"];
      const { body } = await post(url, "upload-pack", pktLines("command=fetch", "0001", ...lines), V2);
      const { git } = journey;
      const taker = await git.init("taker", "--bare");
      await git.ok(["index-pack", "--stdin"], { cwd: taker, input: packOf(body) });
      const found = await git.ok(["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"], { cwd: taker });
      const listed = ["rev-list", "--objects", "--no-object-names", `--filter=tree:${depth}`, wanted];
      const expected = (await git.ok(listed, { cwd: source })).split("\n").toSorted();
      expect({ name, objects: found.split("\n") }).toEqual({ name, objects: expected });
    }
  });

  describe("in version 0", () => {
    it.each(["main~1", "main^{tree}", "main:a/b/c/d/e/f/g/deep.txt", "v1.0", "refs/notes/commits"])(
      "give %s, which a ref reaches",
      async (revision) => {
        const { url, source, oid } = await filled();
        const wanted = await oid(revision);
        const request = Buffer.concat([pkt(`want ${wanted} side-band-64k\n`), pktLines("0000", "done")]);
        const { body } = await post(url, "upload-pack", request);
        const copy = await fetched(journey, packOf(body));
        const reached = (cwd: string): Promise<string> => journey.git.ok(["rev-list", "--objects", wanted], { cwd });
        expect(await reached(copy)).toBe(await reached(source));
      },
    );
  });
});
