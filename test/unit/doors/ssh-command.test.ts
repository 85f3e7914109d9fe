import { describe, expect, it } from "vitest";
import { parseSshCommand } from "../../../src/doors/ssh-command.ts";

describe("a command by SSH", () => {
  it.each([
    ["git-upload-pack 'acme/widgets.git'", { kind: "service", service: "git-upload-pack", path: "acme/widgets.git" }],
    ["git-receive-pack '/acme/widgets'", { kind: "service", service: "git-receive-pack", path: "/acme/widgets" }],
    ["git upload-pack acme/w", { kind: "service", service: "git-upload-pack", path: "acme/w" }],
    [String.raw`git-upload-pack 'it'\''s'`, { kind: "service", service: "git-upload-pack", path: "it's" }],
    [String.raw`git-upload-pack 'a'\!'b'`, { kind: "service", service: "git-upload-pack", path: "a!b" }],
    ['git-upload-pack "acme/w"', { kind: "service", service: "git-upload-pack", path: "acme/w" }],
    ["git-upload-archive '/a/w.git'", { kind: "service", service: "git-upload-archive", path: "/a/w.git" }],
    ["git upload-archive a/w", { kind: "service", service: "git-upload-archive", path: "a/w" }],
    ["git-lfs-authenticate 'acme/w.git' download", { kind: "lfs", path: "acme/w.git", operation: "download" }],
    ["git-lfs-authenticate acme/w.git upload abc", { kind: "lfs", path: "acme/w.git", operation: "upload" }],
  ])("%s", (command, parsed) => {
    expect(parseSshCommand(command)).toEqual(parsed);
  });

  it.each([
    "",
    "   ",
    "ls",
    "git-upload-pack",
    "git-upload-pack ''",
    "git-upload-pack 'a' 'b'",
    "git-upload-pack 'a",
    'git-upload-pack "$(id)"',
    "git-upload-pack `id`'",
    "() { :;}; git-upload-pack",
    "git-lfs-authenticate a b",
    "git-lfs-authenticate a download b c",
    "git-lfs-transfer a download",
    "git-upload-archive",
    "git-upload-archive 'a' HEAD",
    "git-shell -c x",
    "/usr/bin/git-upload-pack a",
    "git-upload-pack\\",
  ])("%j is none", (command) => {
    expect(parseSshCommand(command)).toMatchObject({ kind: "unknown" });
  });

  it("runs nothing that follows it: what a shell would take for a second command is a part of the path", () => {
    expect(parseSshCommand("git-upload-pack a;id")).toEqual({
      kind: "service",
      service: "git-upload-pack",
      path: "a;id",
    });
  });
});
