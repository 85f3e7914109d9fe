/** What is offered as a promisor remote, and what a client answers. */
import { describe, expect, it } from "vitest";
import { acceptsOffer, formatPromisorOffer } from "../../../src/wire/promisor-remote.ts";

describe("formatPromisorOffer", () => {
  it("encodes values as git does, so that a client can tell fields apart", () => {
    const url = "https://host/acme/a,b;c%20é.git";
    expect(formatPromisorOffer({ url, blobsFrom: 5000, token: undefined })).toBe(
      "name=blobs,url=https://host/acme/a%2Cb%3Bc%2520%C3%A9.git,partialCloneFilter=blob:limit=5000",
    );
    expect(formatPromisorOffer({ url: "u", blobsFrom: 1, token: "a b" })).toMatch(/,token=a%20b$/);
  });
});

describe("acceptsOffer", () => {
  it.each([
    ["blobs", true],
    ["other;blobs", true],
    ["other", false],
    ["", false],
    ["blobs-2", false],
    ["Blobs", false],
  ])("takes %j as %j", (answer, accepted) => expect(acceptsOffer(answer)).toBe(accepted));
});
