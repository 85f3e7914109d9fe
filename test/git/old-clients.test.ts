/**
 * What clients said before git had the capabilities that all have now, as raw requests: Debian has one version of git. Each
 * dialogue is held with C git's server first, and has to be the same here.
 */
import { describe, expect, it } from "vitest";
import { refsAt } from "../support/git-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { type Journey, onEveryHost } from "../support/git-hosts.ts";
import { ZERO, packOf, parsePkts, pkt, pktLines, post, pushBody, reportLines, send } from "../support/git-raw.ts";

/** What was said with C git, by title. */
const dialogues = new Map<string, string[]>();

/**
 * Holds a dialogue to that with C git, which comes first. To a client without multi_ack C git acknowledges the parents of what it
 * acknowledged as well; gitprotocol-pack(5) has the first common object only, and what follows would be taken for the pack.
 */
function expectSame(journey: Journey, { title, capabilities }: OldClient, whole: readonly string[]): void {
  const isAck = (line: string | undefined): boolean => line?.startsWith("ACK ") === true;
  const said = whole.filter((line, at) => capabilities.includes("multi_ack") || !isAck(line) || !isAck(whole[at - 1]));
  expect(said.some(isAck)).toBe(true);
  if (journey.host === "c git") dialogues.set(title, said);
  else expect(said).toEqual(dialogues.get(title) ?? said);
}

type OldClient = {
  readonly title: string;
  readonly capabilities: string;
  /** Haves in a round, apart from those that are common already. */
  readonly round: number;
};

const OLD_CLIENTS: readonly OldClient[] = [
  { title: "no capabilities", capabilities: "", round: 4 },
  { title: "one have a round", capabilities: "side-band ofs-delta", round: 1 },
  { title: "no multi_ack", capabilities: "thin-pack side-band-64k ofs-delta include-tag", round: 16 },
  { title: "multi_ack", capabilities: "multi_ack thin-pack side-band ofs-delta", round: 4 },
  { title: "multi_ack, 1.5", capabilities: "multi_ack side-band thin-pack", round: 16 },
  {
    title: "multi_ack_detailed without no-done, 1.7",
    capabilities: "multi_ack_detailed side-band-64k thin-pack ofs-delta",
    round: 4,
  },
  {
    title: "multi_ack_detailed with no-done and an agent, 1.8",
    capabilities: "multi_ack_detailed no-done side-band-64k thin-pack include-tag ofs-delta agent=git/1.8.5",
    round: 4,
  },
];

/** A remote with ten commits of its own, and a clone from before with five of its own. */
async function apart({ git, ...journey }: Journey, url: string): Promise<{ cwd: string; tip: string }> {
  const source = await importFixture(git, `source-${journey.host.length}`, linear(30));
  await git.ok(["push", "-q", url, "main~10:refs/heads/main"], { cwd: source });
  const cwd = git.fresh();
  await git.ok(["clone", "-q", url, cwd]);
  await git.ok(["push", "-q", url, "main"], { cwd: source });
  for (let at = 0; at < 5; at++) await git.commit(cwd, "local.txt", `${at}\n`);
  return { cwd, tip: await git.ok(["rev-parse", "main"], { cwd: source }) };
}

/** The lines of an answer before its pack. */
function linesOf(body: Buffer): string[] {
  const pack = body.indexOf("PACK");
  const lines = parsePkts(pack < 0 ? body : body.subarray(0, pack)).map((line) => line.toString("latin1"));
  return lines.filter((line) => /^(?:NAK|ACK |ERR )/.test(line)).map((line) => line.trimEnd());
}

/** Fetches as git's fetch-pack did over HTTP: each round says again what is common. Gives what the server said, and the pack. */
async function fetchAsOld(
  journey: Journey,
  remote: { url: string; cwd: string; tip: string },
  client: OldClient,
): Promise<{ said: string[]; pack: Buffer }> {
  const { url, cwd, tip } = remote;
  const wants = Buffer.concat([
    pkt(`want ${tip}${client.capabilities === "" ? "" : ` ${client.capabilities}`}\n`),
    pktLines("0000"),
  ]);
  const haves = (await journey.git.ok(["rev-list", "HEAD"], { cwd })).split("\n").map((oid) => `have ${oid}`);
  const common: string[] = [];
  const said: string[] = [];
  for (let at = 0; at < haves.length; at += client.round) {
    const round = pktLines(...common, ...haves.slice(at, at + client.round), "0000");
    const { body } = await post(url, "upload-pack", Buffer.concat([wants, round]));
    const lines = linesOf(body);
    said.push(`round ${at}`, ...lines);
    if (body.includes("PACK")) return { said, pack: packOf(body) };
    for (const line of lines) {
      const [word, oid] = line.split(" ");
      if (word === "ACK" && !common.includes(`have ${oid}`)) common.push(`have ${oid}`);
    }
    if (lines.some((line) => line.endsWith("ready") || /^ACK [0-9a-f]+$/.test(line))) break;
  }
  const last = Buffer.concat([wants, pktLines(...common, "done")]);
  const { body } = await post(url, "upload-pack", last);
  return { said: [...said, "done", ...linesOf(body)], pack: packOf(body) };
}

onEveryHost("old clients", (journey) => {
  describe.each(OLD_CLIENTS)("with $title", (client) => {
    it("fetch what is new", async () => {
      const { git } = journey;
      const url = await journey.create();
      const { cwd, tip } = await apart(journey, url);
      const { said, pack } = await fetchAsOld(journey, { url, cwd, tip }, client);
      expectSame(journey, client, said);
      await git.ok(["index-pack", "--stdin", "--fix-thin", "--strict"], { cwd, input: pack });
      await git.ok(["update-ref", "refs/heads/theirs", tip], { cwd });
      await git.fsck(cwd);
      // ten commits, each with two trees and two blobs
      expect(pack.readUInt32BE(8)).toBeLessThanOrEqual(60);
    });

    it("clone", async () => {
      const { git } = journey;
      const url = await journey.create();
      const { tip } = await apart(journey, url);
      const empty = await git.init("empty", "--bare");
      const wants = pkt(`want ${tip}${client.capabilities === "" ? "" : ` ${client.capabilities}`}\n`);
      const { body } = await post(url, "upload-pack", Buffer.concat([wants, pktLines("0000", "done")]));
      expect(linesOf(body)).toEqual(["NAK"]);
      await git.ok(["index-pack", "--stdin", "--strict"], { cwd: empty, input: packOf(body) });
      await git.ok(["update-ref", "refs/heads/main", tip], { cwd: empty });
      await git.fsck(empty);
    });
  });

  it("may send lines without a line feed, the same line twice, and odd spaces", async () => {
    const { git } = journey;
    const url = await journey.create();
    const { tip } = await apart(journey, url);
    const body = Buffer.concat([
      pkt(`want ${tip}  side-band-64k   ofs-delta `),
      pkt(`want ${tip}`),
      Buffer.from("0000"),
      pkt("done"),
    ]);
    const answer = await post(url, "upload-pack", body);
    expect(linesOf(answer.body)).toEqual(["NAK"]);
    const empty = await git.init("empty", "--bare");
    await git.ok(["index-pack", "--stdin", "--strict"], { cwd: empty, input: packOf(answer.body) });
  });

  it("can read the refs of an advertisement whose capabilities they do not know", async () => {
    const url = await journey.create();
    const { tip } = await apart(journey, url);
    const { body } = await send(`${url}/info/refs?service=git-upload-pack`);
    const [, , first, ...rest] = parsePkts(body).map((line) => line.toString("latin1"));
    expect(first).toMatch(new RegExp(`^${tip} HEAD\0`));
    expect(rest).toEqual([`${tip} refs/heads/main\n`, "0000"]);
  });

  describe("push", () => {
    it.each([
      ["with nothing but a report", "\0report-status", ["unpack ok", "ok refs/heads/old"]],
      ["with a space before its capabilities", "\0 report-status", ["unpack ok", "ok refs/heads/old"]],
      ["with deletions and no side-band", "\0 report-status delete-refs", ["unpack ok", "ok refs/heads/old"]],
      ["with capabilities but no report", "\0 delete-refs", []],
      ["without any capability", "", []],
    ])("%s", async (_, capabilities, report) => {
      const { git } = journey;
      const url = await journey.create();
      const { cwd } = await apart(journey, url);
      const tip = await git.ok(["rev-parse", "HEAD"], { cwd });
      const pack = await git.bytes(["pack-objects", "--revs", "--stdout", "-q", "--thin"], {
        cwd,
        input: `${tip}\n^${tip}~5\n`,
      });
      const line = pkt(`${ZERO} ${tip} refs/heads/old${capabilities}`);
      const answer = await post(url, "receive-pack", Buffer.concat([line, Buffer.from("0000"), pack]));
      expect(answer.status).toBe(200);
      expect(reportLines(answer.body)).toEqual(report);
      expect(await refsAt(git, url)).toContain(`refs/heads/old ${tip}`);
      const gone = pushBody([{ name: "refs/heads/old", old: tip }], undefined, "report-status delete-refs");
      expect(reportLines((await post(url, "receive-pack", gone)).body)).toEqual(["unpack ok", "ok refs/heads/old"]);
      const copy = git.fresh();
      await git.ok(["clone", "-q", "--bare", url, copy]);
      await git.fsck(copy);
    });
  });
});
