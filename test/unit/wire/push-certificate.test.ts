import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import type { CapabilityContext } from "../../../src/wire/capabilities.ts";
import { formatServiceCapabilities } from "../../../src/wire/capabilities.ts";
import { PktBuffer } from "../../../src/wire/pkt-buffer.ts";
import {
  formatPushCertificate,
  MAX_CERTIFICATE_BYTES,
  parsePushCertificate,
  PushCertificateReader,
  writePushCertificate,
} from "../../../src/wire/push-certificate.ts";
import { ReceiveRequestParser } from "../../../src/wire/receive-request.ts";
import { feed, pktText } from "../../support/pkt.ts";

const context: CapabilityContext = { objectFormat: "sha1", agent: "thinpack/1", stateless: true, symrefs: [] };
const ZERO = "0".repeat(40);
const A = "a".repeat(40);
const SIGNATURE = "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n";
const HEAD = "certificate version 0.1\n";
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const CONTENT = {
  pusher: "A U Thor <author@example.com> 1700000000 +0200",
  pushee: "https://example.com/a/b.git",
  nonce: "1700000000-ab",
  pushOptions: ["ci.skip", "a b"],
  commands: [{ name: "refs/heads/main", oldOid: ZERO, newOid: A }],
};

it("is written as git writes it", () => {
  expect(formatPushCertificate(CONTENT)).toBe(
    `certificate version 0.1
pusher A U Thor <author@example.com> 1700000000 +0200
pushee https://example.com/a/b.git
nonce 1700000000-ab
push-option ci.skip
push-option a b

${ZERO} ${A} refs/heads/main
`,
  );
});

describe("a push certificate", () => {
  it("takes the place of a push's commands", () => {
    const out = new PktBuffer();
    const certificate = formatPushCertificate(CONTENT) + SIGNATURE;
    writePushCertificate(bytes(certificate), " report-status object-format=sha1", out);
    out.flush();
    const lines = pktText(out.takeBytes());
    const parser = new ReceiveRequestParser(context);
    const { answer, rest } = feed(parser, [`shallow ${A}`, ...lines, "option"]);
    expect({ answer, rest }).toEqual({ answer: "done", rest: ["option"] });
    const { commands, capabilities, certificate: parsed, shallows } = parser.result;
    expect([...commands]).toEqual([{ kind: "create", name: "refs/heads/main", oldOid: ZERO, newOid: A }]);
    expect(capabilities.has("report-status")).toBe(true);
    expect(shallows).toHaveLength(1);
    expect(Buffer.from(parsed?.content ?? []).toString()).toBe(certificate);
    expect(parsed).toMatchObject({
      pusher: CONTENT.pusher,
      pushee: CONTENT.pushee,
      nonce: CONTENT.nonce,
      pushOptions: CONTENT.pushOptions,
      signature: { kind: "ssh", armoured: SIGNATURE },
    });
    expect(Buffer.from(parsed?.payload ?? []).toString()).toBe(formatPushCertificate(CONTENT));
  });

  test("is parsed as it was formatted", () => {
    const word = fc.stringMatching(/^[!-~]{1,20}$/);
    const commands = fc.array(fc.record({ name: word, oldOid: fc.constant(ZERO), newOid: fc.constant(A) }));
    const content = fc.record({ pusher: word, pushee: word, nonce: word, pushOptions: fc.array(word), commands });
    fc.assert(
      fc.property(content, fc.boolean(), (value, signed) => {
        const parsed = parsePushCertificate(bytes(formatPushCertificate(value) + (signed ? SIGNATURE : "")));
        expect(parsed).toMatchObject({ pusher: value.pusher, nonce: value.nonce, pushOptions: value.pushOptions });
        expect(parsed.commands.map((line) => Buffer.from(line).toString())).toEqual(
          value.commands.map(({ name, oldOid, newOid }) => `${oldOid} ${newOid} ${name}`),
        );
        expect(parsed.signature?.armoured).toBe(signed ? SIGNATURE : undefined);
      }),
    );
  });
});

describe("the signature of a push certificate", () => {
  test.each([
    ["-----BEGIN PGP SIGNATURE-----", "openpgp"],
    ["-----BEGIN PGP MESSAGE-----", "openpgp"],
    ["-----BEGIN SSH SIGNATURE-----", "ssh"],
    ["-----BEGIN SIGNED MESSAGE-----", "x509"],
  ])("is found by its first line, %s", (armour, kind) => {
    expect(parsePushCertificate(bytes(`${HEAD}a b\n\n${armour}\n`)).signature).toEqual({
      kind,
      armoured: `${armour}\n`,
    });
  });

  it("is the last one, so that a signature among the commands is signed text", () => {
    const first = `${HEAD}a b\n\n${SIGNATURE}${ZERO} ${A} refs/heads/x\n`;
    const parsed = parsePushCertificate(bytes(first + SIGNATURE));
    expect(Buffer.from(parsed.payload).toString()).toBe(first);
  });

  it("may be missing, and is not found by an unknown first line", () => {
    expect(parsePushCertificate(bytes(`${HEAD}a b\n\n`)).signature).toBeUndefined();
    expect(parsePushCertificate(bytes(`${HEAD}a b\n\n-----BEGIN SOMETHING-----\n`)).signature).toBeUndefined();
  });
});

describe("a push certificate with unusual content", () => {
  it("keeps the first value of a repeated header, as git does", () => {
    expect(parsePushCertificate(bytes(`${HEAD}nonce 1\nnonce 2\n\n`)).nonce).toBe("1");
    expect(parsePushCertificate(bytes(`${HEAD}__proto__ 1\nconstructor x\n\n`))).toMatchObject({ pusher: "" });
  });

  test.each([
    ["a commit", `tree ${A}\nauthor A <a@b> 1 +0000\n\npusher x\n`],
    ["another version", "certificate version 0.2\npusher x\n\n"],
    ["a longer first line", "certificate version 0.1 \npusher x\n\n"],
    ["a header before it", "pusher x\ncertificate version 0.1\n\n"],
    ["an empty line before it", "\ncertificate version 0.1\n\n"],
    ["no end of the header", "certificate version 0.1\npusher x\n"],
    ["nothing", ""],
  ])("is refused if it has %s", (_, text) => {
    expect(() => parsePushCertificate(bytes(text + SIGNATURE))).toThrow(/^malformed push certificate /);
  });

  it("has a bounded size", () => {
    const reader = new PushCertificateReader();
    const line = new Uint8Array(65_000);
    const fill = (): void => {
      for (let at = 0; at <= MAX_CERTIFICATE_BYTES; at += line.length) reader.accept(line);
    };
    expect(fill).toThrow("a push certificate of more than 1048576 bytes");
  });

  it("is offered only with a nonce", () => {
    expect(formatServiceCapabilities("receive-pack", context)).not.toContain("push-cert");
    expect(formatServiceCapabilities("receive-pack", { ...context, pushNonce: "1-a" })).toContain(" push-cert=1-a ");
  });
});
