/**
 * What pages make of files that are more than text, and how much they weigh.
 *
 * @packageDocumentation
 */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { apiClient } from "../support/api-client.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { startTestHost } from "../support/host.ts";

const SCRIPT = "<script>alert(1)</script>";
const POINTED = "not here";
const SHA256 = createHash("sha256").update(POINTED).digest("hex");
const KIB = 1024;

let host: RunningHost;
let git: GitSandbox;

async function page(path: string): Promise<string> {
  const answer = await fetch(`${host.base}/acme/shown${path}`, { headers: { Accept: "text/html" } });
  expect([path, answer.status]).toEqual([path, 200]);
  return await answer.text();
}

beforeAll(async () => {
  host = await startTestHost();
  git = new GitSandbox("content-pages");
  const operator = apiClient(host.base, "test-token");
  await operator("PUT", "/repos/acme/shown", { visibility: "public" });
  const work = await git.init();
  const write = (path: string, content: string): void => {
    mkdirSync(dirname(join(work, path)), { recursive: true });
    writeFileSync(join(work, path), content);
  };
  write("a.txt", "text\n");
  await git.ok(["add", "-A"], { cwd: work });
  await git.ok(["commit", "-q", "-m", "first"], { cwd: work });
  write("table.csv", `name,"a, b"\n${SCRIPT},2\n`);
  write("broken.csv", 'a,"b\n');
  write("doc.pdf", "%PDF-1.4\n\0");
  write("large.png", `version https://git-lfs.github.com/spec/v1\noid sha256:${SHA256}\nsize 12345678\n`);
  write("package-lock.json", '{"a":1}\n');
  write("src/long.txt", "line\n".repeat(1200));
  write("notes.md", "# Notes\n\n```mermaid\ngraph TD; A-->B;\n```\n\nSo $a_1 + b_2$ and\n\n$$\nx_1 * y_2 * z\n$$\n");
  await git.ok(["add", "-A"], { cwd: work });
  await git.ok(["commit", "-q", "-m", "second"], { cwd: work });
  await git.ok(["push", "-q", withToken(`${host.base}/acme/shown.git`, "test-token"), "main"], { cwd: work });
});

afterAll(async () => {
  await host.stop();
  git.close();
});

describe("the page of a file", () => {
  it("has a table where the file is one, and its text where it is asked for", async () => {
    const html = await page("/blob/main/table.csv");
    expect(html).toContain('<th scope="col">a, b</th>');
    expect(html).toContain("<td>&lt;script&gt;alert(1)&lt;/script&gt;</td>");
    expect(await page("/blob/main/table.csv?plain=1")).not.toContain("<th ");
    expect(await page("/blob/main/broken.csv")).not.toContain("<th ");
  });

  it("leads to a PDF, which a browser shows in a sandbox", async () => {
    expect(await page("/blob/main/doc.pdf")).toContain("This is a PDF.");
    const { headers } = await fetch(`${host.base}/acme/shown/raw/main/doc.pdf`);
    expect(headers.get("Content-Type")).toBe("application/pdf");
    expect(headers.get("Content-Security-Policy")).toBe("default-src 'none'; sandbox");
  });

  it("shows a pointer of Git LFS as what it names", async () => {
    const html = await page("/blob/main/large.png");
    expect(html).toContain('<a href="/acme/shown/raw/main/large.png?lfs=1">a file of 11.8 MiB</a>');
    expect(html).toContain('<img src="/acme/shown/raw/main/large.png?lfs=1"');
  });

  it("folds what a program made, and says why", async () => {
    const html = await page("/blob/main/package-lock.json");
    expect(html).toContain("Folded: a list of locked versions");
    expect(html).toMatch(/<details class="diff"><summary>/);
  });

  it("shows diagrams and formulas as the text that they are", async () => {
    const html = await page("/blob/main/notes.md");
    expect(html).toContain("graph TD; A--&gt;B;");
    expect(html).toContain("$a_1 + b_2$");
    expect(html.replaceAll(/<[^>]*>/g, "")).toMatch(/x_1 \* y_2 \* z/);
  });
});

describe("the page of a commit", () => {
  it("folds generated and very long files, and opens the others", async () => {
    const html = await page("/commit/main");
    const files = Array.from(
      html.matchAll(/<details class="diff" id="file-\d+"( open)?><summary>.*?<bdi>([^<]*)<.*?class="note">([^<]*)</g),
    );
    const shown = files.map(([, open, name, how]) => [name, open !== undefined, how]);
    expect(shown).toContainEqual(["table.csv", true, "added"]);
    expect(shown).toContainEqual(["package-lock.json", false, "added, folded: a list of locked versions"]);
    expect(shown).toContainEqual(["src/long.txt", false, "added, folded: more than 1000 changed lines"]);
  });
});

describe("the front page of a repository", () => {
  it("says how large it is and how it is cloned", async () => {
    const html = await page("");
    expect(html).toMatch(/<span class="note">\d+(?:\.\d)? (?:bytes|KiB) in git<\/span>/);
    expect(html).toContain(`value="${host.base}/acme/shown.git"`);
    expect(html).toContain(`thinpack login ${host.base} --git`);
    // This host takes no connections by SSH.
    expect(html).not.toContain("With SSH");
  });
});

describe("pages", () => {
  it("weigh little: at most 30 KiB of HTML and CSS without content, and 15 KiB of script", async () => {
    const zipped = async (path: string): Promise<number> => {
      const answer = await fetch(host.base + path, { headers: { Accept: "text/html" } });
      return gzipSync(Buffer.from(await answer.arrayBuffer())).length;
    };
    const css = await zipped("/-/assets/pages.css");
    expect(css).toBeGreaterThan(0);
    for (const path of [
      "/",
      "/-/login",
      "/acme/shown",
      "/acme/shown/commits/main",
      "/acme/shown/search",
      "/acme/shown/branches",
    ])
      expect([path, (await zipped(path)) + css < 30 * KIB]).toEqual([path, true]);
    expect(await zipped("/-/assets/pages.js")).toBeLessThan(15 * KIB);
  });
});
