import { describe, expect, it } from "vitest";
import { parseOutgoingUrl } from "../../../src/access/outgoing-url.ts";
import { Pacer } from "../../../src/bytes/pacer.ts";
import { LimitExceeded } from "../../../src/bytes/failure.ts";
import { FetchClient } from "../../../src/mirror/fetch-client.ts";
import { UpstreamConnection } from "../../../src/mirror/upstream-connection.ts";

const OID = "1".repeat(40);
const OTHER = "2".repeat(40);

function lines(...texts: readonly string[]): string {
  const pkt = (text: string): string => (text.length + 4).toString(16).padStart(4, "0") + text;
  return `${texts.map((text) => pkt(`${text}\n`)).join("")}0000`;
}

/** Connects to an upstream that speaks version 0 and advertises these lines. */
async function connectTo(text: string, mostRefs: number): Promise<FetchClient> {
  let rest = Buffer.from(text);
  const connection = new UpstreamConnection({
    fetcher: {
      send: async () => ({
        status: 200,
        header: () => "application/x-git-upload-pack-advertisement",
        body: {
          read: async (buffer) => {
            const piece = rest.subarray(0, buffer.length);
            rest = rest.subarray(piece.length);
            buffer.set(piece);
            return buffer.subarray(0, piece.length);
          },
        },
        cancel: async () => undefined,
      }),
    },
    upstream: "https://example.com/a.git",
    checkUrl: (url, base) => parseOutgoingUrl(url, false, base),
    authorization: undefined,
    userAgent: "git/test",
    gzip: (bytes) => bytes,
    now: () => 0,
  });
  const { answer } = await connection.discover("version=2");
  return await FetchClient.connect(connection, answer, {
    agent: "test",
    mostRefs,
    pacer: new Pacer(async () => undefined),
  });
}

describe("the fetch client in version 0", () => {
  it("lists the refs, and guesses HEAD's branch if the upstream does not tell it", async () => {
    const text = lines(
      `${OTHER} HEAD\0side-band-64k`,
      `${OTHER} refs/heads/a`,
      `${OID} refs/heads/b`,
      `${OTHER} refs/heads/main`,
    );
    const client = await connectTo(text, 4);
    const refs: string[] = [];
    expect(await client.listRefs([], ({ name }) => refs.push(name))).toBe("refs/heads/main");
    expect(refs).toEqual(["HEAD", "refs/heads/a", "refs/heads/b", "refs/heads/main"]);
  });

  it("takes refs up to its bound, and refuses more", async () => {
    const text = lines(`${OID} refs/heads/a\0side-band-64k`, `${OID} refs/heads/b`, `${OID} refs/heads/c`);
    expect((await connectTo(text, 3)).version).toBe(0);
    await expect(connectTo(text, 2)).rejects.toThrow(LimitExceeded);
  });
});
