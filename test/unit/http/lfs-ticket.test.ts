import { describe, expect, it } from "vitest";
import { formatLfsTicket, isLfsTicket, LFS_TICKET_SECONDS, parseLfsTicket } from "../../../src/http/lfs-ticket.ts";

const ticket = { name: { tenant: "acme", repo: "widgets" }, fingerprint: "SHA256:abc", writes: false };
const header = formatLfsTicket(ticket, "secret", 0);
const PATH = "/acme/widgets.git/info/lfs/objects/batch";

describe("a ticket for Git LFS", () => {
  it("stands for its key, at paths of Git LFS, until its time is over", () => {
    expect(isLfsTicket(header)).toBe(true);
    expect(parseLfsTicket(header, PATH, "secret", LFS_TICKET_SECONDS * 1000 - 1)).toEqual({
      kind: "key",
      tenant: "acme",
      fingerprint: "SHA256:abc",
      lent: { repo: "widgets", writes: false },
    });
    expect(parseLfsTicket(header, PATH, "secret", LFS_TICKET_SECONDS * 1000)).toBeUndefined();
    expect(parseLfsTicket(header, "/acme/widgets.git/info/refs", "secret", 1)).toBeUndefined();
    for (const path of ["/api/v1/repos/acme/widgets/raw/main/info/lfs/x", "/api/v1/repos/a/b/refs/heads/info/lfs/y"]) {
      expect(parseLfsTicket(header, path, "secret", 1)).toBeUndefined();
    }
    expect(parseLfsTicket(header, PATH, "another secret", 1)).toBeUndefined();
  });

  it("can't be changed into another", () => {
    const [text = "", signature = ""] = header.slice("Bearer tpl_".length).split(".");
    const content = Buffer.from(text, "base64url").toString().replace("false", "true");
    const forged = `Bearer tpl_${Buffer.from(content).toString("base64url")}.${signature}`;
    expect(parseLfsTicket(forged, PATH, "secret", 1)).toBeUndefined();
    for (const odd of ["Bearer tpl_.", "Bearer tpl_a", "Bearer tpk_acme_x", `Bearer tpl_${"a".repeat(2000)}.b`, ""]) {
      expect(isLfsTicket(odd)).toBe(false);
    }
  });
});
