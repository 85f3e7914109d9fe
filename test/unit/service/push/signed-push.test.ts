/** Signed pushes: what is kept of the certificate, and what a rule makes of it. */
import { beforeEach, describe, expect, it, test } from "vitest";
import type { CertificateCheck, LoggedPush } from "../../../../src/refs/ref-log.ts";
import { advertiseRefs } from "../../../../src/service/advertise.ts";
import type { PushExchange } from "../../../../src/service/exchange.ts";
import { serveReceivePack } from "../../../../src/service/push/receive-pack.ts";
import { PktBuffer } from "../../../../src/wire/pkt-buffer.ts";
import { formatPushCertificate, writePushCertificate } from "../../../../src/wire/push-certificate.ts";
import { formatPushOptions } from "../../../../src/wire/push-options.ts";
import { buildPack, commitOf, objectId, pushBody, reportLines, treeOf, ZERO } from "../../../support/git-raw.ts";
import { MemoryService, NEW_REPOSITORY, type Served } from "../memory-service.ts";

const MAIN = "refs/heads/main";
const tree = treeOf();
const commit = commitOf(objectId("tree", tree));
const commitId = objectId("commit", commit);
const PACK = buildPack([
  { type: "tree", content: tree },
  { type: "commit", content: commit },
]);
const SIGNATURE = "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n";
const PUSHER = "A U Thor <author@example.com> 1700000000 +0200";

let host = new MemoryService();

beforeEach(async () => {
  host = new MemoryService();
  await host.refs.create(NEW_REPOSITORY);
});

type Settings = {
  readonly nonce?: string;
  readonly signature?: string;
  readonly signedOptions?: readonly string[];
  readonly options?: readonly string[];
  readonly verdict?: Pick<CertificateCheck, "signature" | "key">;
  readonly seed?: string;
};

function settingsOf(exchange: PushExchange, { verdict, seed }: Settings): PushExchange {
  return {
    ...exchange,
    ...(seed === undefined ? {} : { pushCertSeed: seed }),
    ...(verdict === undefined ? {} : { verifySignature: async () => verdict }),
  };
}

async function advertisedNonce(settings: Settings = {}): Promise<string | undefined> {
  const { body } = await host.run(
    (exchange) => advertiseRefs(settingsOf(exchange, settings), "git-receive-pack", 0),
    new Uint8Array(),
  );
  return / push-cert=(\S+) /.exec(body.toString())?.[1];
}

/** Pushes the commit to main, signed. */
async function push(settings: Settings): Promise<Served> {
  const { nonce, signature = SIGNATURE, signedOptions = [], options = [] } = settings;
  const text = formatPushCertificate({
    pusher: PUSHER,
    ...(nonce === undefined ? {} : { nonce }),
    pushOptions: signedOptions,
    commands: [{ name: MAIN, oldOid: ZERO, newOid: commitId }],
  });
  const out = new PktBuffer();
  const wanted = ` report-status${options.length + signedOptions.length === 0 ? "" : " push-options"}`;
  writePushCertificate(Buffer.from(text + signature), wanted, out);
  out.flush();
  if (wanted.includes("options")) formatPushOptions(options, out);
  const body = Buffer.concat([out.takeBytes(), PACK]);
  return await host.run((exchange) => serveReceivePack(settingsOf(exchange, settings)), body);
}

async function lastPush(): Promise<LoggedPush | undefined> {
  return (await host.refs.refLog({ limit: 1 }))?.pushes[0];
}

describe("the stored certificate of a signed push", () => {
  it("has the certificate as it came, its nonce's age, and that nobody verified it", async () => {
    const nonce = (await advertisedNonce()) ?? "";
    host.now += 5000;
    expect(reportLines((await push({ nonce })).body)).toEqual(["unpack ok", `ok ${MAIN}`]);
    const logged = await lastPush();
    expect(logged?.certificate).toEqual({
      nonce: "OK",
      nonceSlop: 5,
      signature: "unverified",
      signer: "A U Thor <author@example.com>",
    });
    const content = Buffer.from((await host.refs.pushCertificate(logged?.id ?? 0)) ?? []).toString();
    expect(content).toContain(`nonce ${nonce}\n\n${ZERO} ${commitId} ${MAIN}\n${SIGNATURE}`);
  });

  it("names the key", async () => {
    await push({ verdict: { signature: "good", key: "SHA256:abc" } });
    expect((await lastPush())?.certificate).toMatchObject({ nonce: "MISSING", signature: "good", key: "SHA256:abc" });
  });

  test.each(["", "x-y", "1700000000-abcdef"])("reports the bad nonce %j", async (nonce) => {
    await push({ nonce });
    expect((await lastPush())?.certificate).toMatchObject({ nonce: "BAD" });
  });

  it("reports a late nonce", async () => {
    const nonce = (await advertisedNonce()) ?? "";
    host.now += 2 * 3600 * 1000;
    await push({ nonce });
    expect((await lastPush())?.certificate).toMatchObject({ nonce: "SLOP", nonceSlop: 7200 });
  });

  it("is absent if the push moved nothing", async () => {
    await host.refs.change({ readOnly: true });
    await push({});
    expect(await lastPush()).toBeUndefined();
  });
});

describe("a push certificate that has landed", () => {
  const good = { signature: "good", key: "SHA256:abc" } as const;
  const used = `ng ${MAIN} push certificate was used before`;

  it("moves nothing a second time, in whatever armour", async () => {
    const nonce = (await advertisedNonce()) ?? "";
    expect(reportLines((await push({ nonce, verdict: good })).body)).toEqual(["unpack ok", `ok ${MAIN}`]);
    await host.refs.change({ head: "refs/heads/other" });
    const removal = pushBody([{ name: MAIN, old: commitId, new: ZERO }], new Uint8Array());
    expect(reportLines((await host.run(serveReceivePack, removal)).body)[1]).toBe(`ok ${MAIN}`);
    const files = host.storage.files.size;
    for (const signature of [SIGNATURE, SIGNATURE.replace("AAAA", "BBBB")]) {
      expect(reportLines((await push({ nonce, verdict: good, signature })).body)).toEqual(["unpack ok", used]);
    }
    expect(host.storage.files.size).toBe(files);
    // Another, made a second later, is another.
    host.now += 1000;
    expect(reportLines((await push({ nonce: (await advertisedNonce()) ?? "", verdict: good })).body)[1]).toBe(
      `ok ${MAIN}`,
    );
  });

  it("may be used again if it moved nothing", async () => {
    const nonce = (await advertisedNonce()) ?? "";
    await host.refs.change({ readOnly: true });
    await push({ nonce, verdict: good });
    await host.refs.change({ readOnly: false });
    expect(reportLines((await push({ nonce, verdict: good })).body)[1]).toBe(`ok ${MAIN}`);
  });
});

describe("the nonces of signed pushes", () => {
  it("are made from the deployment's secret if it has one", async () => {
    const [own, given] = [await advertisedNonce(), await advertisedNonce({ seed: "deployment" })];
    expect(own).toBeDefined();
    expect(given).not.toBe(own);
    await push({ seed: "deployment", nonce: given ?? "" });
    expect((await lastPush())?.certificate).toMatchObject({ nonce: "OK" });
  });

  it("are not issued for a missing repository", async () => {
    host = new MemoryService();
    expect(await advertisedNonce()).toBeUndefined();
  });
});

describe("the push options of a signed push", () => {
  test.each([
    [["a"], ["a"], "ok"],
    [["a", "b"], ["a"], "ng"],
    [["a"], [], "ng"],
    [[], ["a"], "ng"],
    [["a", "b"], ["b", "a"], "ng"],
  ])("must be those that were signed: signed %j, sent %j: %s", async (signedOptions, options, expected) => {
    const lines = reportLines((await push({ signedOptions, options })).body);
    expect(lines[1]).toBe(expected === "ok" ? `ok ${MAIN}` : `ng ${MAIN} inconsistent push options`);
    expect(await lastPush()).toEqual(expected === "ok" ? expect.objectContaining({ options }) : undefined);
  });
});

describe("a rule that requires a signed push", () => {
  const why = "the rule for 'main' wants a push that is signed by a registered key";
  const rule = { pattern: "main", allowForcePush: true, allowDeletion: true, requireSigned: true };
  const good = { signature: "good", key: "SHA256:abc" } as const;

  it("accepts a good signature with a nonce of this host", async () => {
    await host.refs.change({ rules: [rule] });
    expect(reportLines((await push({ nonce: (await advertisedNonce()) ?? "", verdict: good })).body)[1]).toBe(
      `ok ${MAIN}`,
    );
  });

  test.each<[string, Settings]>([
    ["nobody has verified", { verdict: { signature: "unverified" } }],
    ["is of an unknown key", { verdict: { signature: "unknown-key" } }],
    ["does not fit its text", { verdict: { signature: "bad" } }],
    ["is missing", { verdict: good, signature: "" }],
    ["has a bad nonce", { verdict: good, nonce: "1700000000-abc" }],
  ])("refuses a signature that %s, before the pack is stored", async (_, settings) => {
    await host.refs.change({ rules: [rule] });
    const nonce = (await advertisedNonce()) ?? "";
    const { body, calls } = await push({ nonce, ...settings });
    expect(reportLines(body)).toEqual(["unpack ok", `ng ${MAIN} ${why}`]);
    expect(calls).toEqual(["beginPush", "abandonPush"]);
    expect(host.storage.files.size).toBe(0);
  });
});
