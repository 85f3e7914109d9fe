/** What was deleted stays here until it is collected, and is sent to nobody: not as a want, and not behind a cut. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { serveReceivePack } from "../../../src/service/push/receive-pack.ts";
import { serveUploadPack } from "../../../src/service/fetch/upload-pack.ts";
import { serveV2 } from "../../../src/service/serve-v2.ts";
import { pushBody } from "../../support/git-raw.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { FixtureStream } from "../../support/git-fixtures.ts";
import { pktBytes, pktText } from "../../support/pkt.ts";
import { MemoryService, NEW_REPOSITORY, band } from "./memory-service.ts";

describe("deleted history", () => {
  let git: GitRepository;
  const host = new MemoryService();
  beforeAll(async () => {
    git = new GitRepository();
    const stream = new FixtureStream();
    for (let at = 0; at < 5; at++) stream.commit("refs/heads/old", [{ path: "secret", content: `secret ${at}\n` }]);
    for (let at = 0; at < 5; at++) stream.commit("refs/heads/new", [{ path: "public", content: `public ${at}\n` }]);
    git.import(stream);
    const [old, fresh] = [git.oid("old"), git.oid("new")];
    await host.run(serveReceivePack, pushBody([{ new: old, name: "refs/heads/main" }], git.pack([old])), {
      create: NEW_REPOSITORY,
    });
    const forced = pushBody([{ old, new: fresh, name: "refs/heads/main" }], git.pack([fresh]));
    const { body } = await host.run(serveReceivePack, forced);
    if (!pktText(body).join("").includes("ok refs/heads/main")) throw new Error("the force-push was refused");
    // What refs had within the last minute may be wanted.
    host.now += 61_000;
  });
  afterAll(() => git.dispose());

  async function fetch(...lines: string[]): Promise<Buffer> {
    const head = ["command=fetch", "object-format=sha1", "0001", "ofs-delta", "no-progress"];
    return (await host.run(serveV2, pktBytes(...head, ...lines, "0000"))).body;
  }

  it("can't be wanted", async () => {
    for (const name of ["old", "old~2", "old~2^{tree}", "old:secret"]) {
      const oid = git.oid(name);
      expect(pktText(await fetch(`want ${oid}`, "done"))).toEqual([`ERR upload-pack: not our ref ${oid}`]);
    }
  });

  it("is distinguished from reachable history, also after a ref moved to a new commit", async () => {
    const [deleted, kept] = [git.oid("old~1"), git.oid("new~1")];
    for (const [at, want] of [deleted, kept].entries()) {
      const stream = new FixtureStream();
      stream.commit(`refs/heads/later-${at}`, [{ path: "later", content: `later ${at}\n` }]);
      git.import(stream);
      const later = git.oid(`later-${at}`);
      const open = host.refs.open.bind(host.refs);
      const opening = vi.spyOn(host.refs, "open").mockImplementationOnce(async (request) => {
        const answer = await open(request);
        await host.run(serveReceivePack, pushBody([{ new: later, name: `refs/heads/later-${at}` }], git.pack([later])));
        return answer;
      });
      const answer = await fetch(`want ${want}`, "done");
      expect(opening.mock.calls.length).toBeGreaterThan(1);
      opening.mockRestore();
      if (want === deleted) expect(pktText(answer)).toEqual([`ERR upload-pack: not our ref ${deleted}`]);
      else expect(packedNames(band(answer, 1))).toContain(kept);
    }
  });

  it.each(["deepen 2147483647", "deepen 3", "deepen-since 1"])("is not sent behind a cut by %s", async (depth) => {
    const old = git.oid("old");
    const answer = await fetch(`want ${git.oid("new")}`, `have ${old}`, `shallow ${old}`, depth, "done");
    expect(answer.toString("latin1")).not.toContain(`unshallow ${old}`);
    const names = packedNames(band(answer, 1));
    expect(names.length).toBeGreaterThan(2);
    for (const line of git.lines(["rev-list", "--objects", "old"])) expect(names).not.toContain(line.slice(0, 40));
  });

  it("counts for nothing as a have: the answer is the same as without it", async () => {
    const missing = "12".repeat(20);
    const want = git.oid("new");
    for (const name of ["old", "old~2", "old~2^{tree}", "old:secret"]) {
      const deleted = git.oid(name);
      const answersTo = async (oid: string): Promise<string[]> => {
        const asked = [
          [`want ${want}`, "thin-pack", `have ${oid}`],
          [`want ${want}`, "thin-pack", `have ${oid}`, "done"],
          [`want ${want}`, "thin-pack", `have ${oid}`, `shallow ${oid}`, "deepen 2", "done"],
          [`want ${want}`, `shallow ${oid}`, "deepen 1", "deepen-relative", "done"],
        ];
        const answers = [];
        for (const lines of asked) answers.push((await fetch(...lines)).toString("latin1"));
        const oldWay = pktBytes(`want ${want} multi_ack_detailed no-done thin-pack`, "0000", `have ${oid}`, "0000");
        answers.push((await host.run(serveUploadPack, oldWay)).body.toString("latin1"));
        return answers;
      };
      expect(await answersTo(deleted)).toEqual(await answersTo(missing));
    }
  });

  it("is distinguished from haves that a ref reaches, without more calls if they lie below the wants", async () => {
    const want = git.oid("new");
    for (const name of ["new", "new~1", "new~4"]) {
      const lines = pktText(await fetch(`want ${want}`, `have ${git.oid("old")}`, `have ${git.oid(name)}`));
      expect(lines).toContain(`ACK ${git.oid(name)}\\n`);
      expect(lines.join()).not.toContain(git.oid("old"));
    }
    const round = ["command=fetch", "object-format=sha1", "0001", `want ${want}`, `have ${git.oid("new~2")}`, "0000"];
    expect((await host.run(serveV2, pktBytes(...round))).calls).toEqual(["open"]);
  });

  it("is distinguished from haves that are tips, without more calls", async () => {
    const stream = new FixtureStream();
    stream.commit("refs/heads/apart", [{ path: "apart", content: "apart\n" }]);
    git.import(stream);
    const apart = git.oid("apart");
    await host.run(serveReceivePack, pushBody([{ new: apart, name: "refs/heads/apart" }], git.pack([apart])));
    const [want, old] = [git.oid("new"), git.oid("old")];
    const haves = [`have ${apart}`, `have ${git.oid("new~1")}`];
    const ask = ["command=fetch", "object-format=sha1", "0001", `want ${want}`, ...haves, "0000"];
    const { body, calls } = await host.run(serveV2, pktBytes(...ask));
    expect(pktText(body)).toEqual(expect.arrayContaining([`ACK ${apart}\\n`, `ACK ${git.oid("new~1")}\\n`]));
    expect(calls).toEqual(["open"]);
    const round = [`want ${want} multi_ack_detailed no-done`, "0000", ...haves, "0000"];
    const before = await host.run(serveUploadPack, pktBytes(...round));
    expect(pktText(before.body).join()).toContain(`ACK ${apart} common`);
    expect(before.calls).toEqual(["open"]);
    // Only one that is nowhere in sight has the refs asked for.
    const asked = await host.run(serveV2, pktBytes(...ask.slice(0, -1), `have ${old}`, "0000"));
    expect(asked.calls).toEqual(["open", "open"]);
    expect(asked.body.toString("latin1")).not.toContain(old);
  });

  /** The objects of a pack, as git names them. */
  function packedNames(pack: Buffer): string[] {
    const client = new GitRepository();
    try {
      const { idx } = client.index(pack);
      const count = idx.readUInt32BE(8 + 255 * 4);
      const namesAt = 8 + 1024;
      return Array.from({ length: count }, (_, i) => idx.toString("hex", namesAt + i * 20, namesAt + (i + 1) * 20));
    } finally {
      client.dispose();
    }
  }
});

describe("a blob that is stored as a delta on a deleted one", () => {
  it("is sent without that base, also to a client that claims to have it", async () => {
    const git = new GitRepository();
    try {
      const host = new MemoryService();
      const stream = new FixtureStream();
      const text = (pin: string): string =>
        `${"a line of a file that is long enough for a delta\n".repeat(200)}pin ${pin}\n`;
      stream.commit("refs/heads/old", [{ path: "config", content: text("653159") }]);
      stream.commit("refs/heads/old", [{ path: "config", content: text("none") }]);
      git.import(stream);
      const squashed = git.text(["commit-tree", "-m", "squashed", "old^{tree}"]);
      const old = git.oid("old");
      const [secret, kept] = [git.oid("old~1:config"), git.oid("old:config")];
      // the deleted blob is the base
      const pack = git.packObjects([...git.objects("old").filter((oid) => oid !== kept), kept], "--delta-base-offset");
      await host.run(serveReceivePack, pushBody([{ new: old, name: "refs/heads/main" }], pack), {
        create: NEW_REPOSITORY,
      });
      const forced = pushBody([{ old, new: squashed, name: "refs/heads/main" }], git.pack([squashed, "^old"]));
      await host.run(serveReceivePack, forced);
      const ask = async (have: string): Promise<Buffer> => {
        const head = ["command=fetch", "object-format=sha1", "0001", "thin-pack", "no-progress", "deepen 1"];
        return (await host.run(serveV2, pktBytes(...head, `want ${squashed}`, `have ${have}`, "done", "0000"))).body;
      };
      for (const have of [git.oid("old~1"), git.oid("old"), "12".repeat(20)]) {
        const answer = await ask(have);
        expect(answer.includes(Buffer.from(secret, "hex"))).toBe(false);
        const client = new GitRepository();
        client.receive(band(answer, 1));
        expect(client.text(["cat-file", "-p", "FETCH:config".replace("FETCH", squashed)])).toContain("pin none");
        client.dispose();
      }
    } finally {
      git.dispose();
    }
  });
});
