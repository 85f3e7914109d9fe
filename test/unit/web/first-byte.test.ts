/**
 * The head of a page comes before what takes time: reads of storage are held back, and let pass one by one until the head is there.
 *
 * @packageDocumentation
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { openElements } from "../../support/open-elements.ts";
import { PageBed } from "../../support/page-bed.ts";

/** Pages, each with a sign of its content that its head does not have. */
const PAGES: readonly (readonly [path: string, sign: string])[] = [
  ["", '<table class="files">'],
  ["/tree/main/src", '<table class="files">'],
  ["/tree/main/src?changes=all", '<table class="files">'],
  ["/blob/main/src/f.c", '<pre class="source">'],
  ["/blob/main/README.md", '<article class="prose">'],
  ["/blame/main/src/f.c", '<table class="blame">'],
  ["/commits/main", '<table class="commits">'],
  ["/commits/main/src/f.c", '<table class="commits">'],
  ["/commit/main", '<ul class="changes">'],
  ["/compare/main~3...main", '<ul class="changes">'],
  ["/activity/main", '<figure class="plot">'],
  ["/branches", '<table class="refs">'],
  ["/tags", '<table class="refs">'],
  ["/search?q=line", '<section class="found">'],
  ["/search?q=f.c&in=names", '<ul class="changes">'],
];
/** More reads than any page makes. */
const MOST_READS = 1000;

let bed: PageBed;

beforeAll(async () => {
  // The streams of workerd that pass on what is written have the same parts.
  vi.stubGlobal("IdentityTransformStream", TransformStream);
  bed = new PageBed();
  const commits = Array.from({ length: 6 }, (_, at) => {
    const text = `/* line */\nint f${at};\n`;
    const readme = `# Title ${at}\n`;
    return (
      `commit refs/heads/main\ncommitter C <c@example.com> ${1_700_000_000 + at * 86_400} +0000\ndata 2\nc${at}\n` +
      `M 100644 inline src/f.c\ndata ${text.length}\n${text}\nM 100644 inline README.md\ndata ${readme.length}\n${readme}\n`
    );
  });
  bed.git.git(["fast-import", "--quiet"], `${commits.join("")}done\n`);
  bed.git.git(["tag", "-a", "v1", "-m", "one", "main"]);
  bed.git.git(["branch", "side", "main~2"]);
  await bed.fill();
  // Modules are loaded when a page first needs them.
  for (const [path] of PAGES) await (await bed.visit(path)).text();
});
afterAll(() => {
  bed.git.dispose();
  vi.unstubAllGlobals();
});
beforeEach(() => {
  bed.forget();
  bed.gate.mode = "open";
});

/** Lets reads pass one by one until a page begins. Returns its reader, and what has come. */
async function begun(
  path: string,
): Promise<{ readonly answer: Response; readonly head: string; readonly rest: () => Promise<string> }> {
  bed.gate.mode = "held";
  const asked = bed.visit(path);
  let hasBegun = false;
  void asked.then(() => (hasBegun = true));
  for (let reads = 0; reads < MOST_READS && !(await bed.quiet().then(() => hasBegun)); reads++) bed.gate.release();
  expect(hasBegun).toBe(true);
  const answer = await asked;
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  const head = (await reader?.read())?.value ?? "";
  const rest = async (): Promise<string> => {
    let text = "";
    for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) text += next.value;
    return text;
  };
  return { answer, head, rest };
}

describe("a page of content", () => {
  it.each(PAGES)("%s begins before its content is read", async (path, sign) => {
    const { answer, head, rest } = await begun(path);
    await bed.quiet();
    expect(bed.gate.waiting).toBeGreaterThan(0);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("Content-Security-Policy")).toContain("default-src 'none'");
    for (const part of ["<title>", '<link rel="stylesheet"', 'aria-label="Breadcrumb"', 'aria-label="Repository"'])
      expect(head).toContain(part);
    expect(head).not.toContain(sign);
    expect(openElements(head)).toEqual(["html", "body", "main"]);
    bed.gate.mode = "open";
    bed.gate.release();
    const html = head + (await rest());
    expect(html).toContain(sign);
    expect(html).not.toContain('role="alert"');
    expect(openElements(html)).toEqual([]);
    expect(html).toMatch(/<\/html>$/);
  });

  it.each(PAGES)("%s says in words that its rest is missing where storage fails", async (path) => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { answer, head, rest } = await begun(path);
    bed.gate.mode = "broken";
    await bed.quiet();
    bed.gate.release();
    const html = head + (await rest());
    expect(log).toHaveBeenCalledOnce();
    log.mockRestore();
    await bed.settled();
    expect(answer.status).toBe(200);
    expect(html).toContain("The rest of this page is missing. The request failed on our side.");
    expect(openElements(html)).toEqual([]);
    expect(html).toMatch(/<\/html>$/);
    expect(bed.traffic.broken).toBe("failed");
    bed.gate.mode = "open";
    const etag = answer.headers.get("ETag") ?? "";
    const again = await bed.visit(path, { "If-None-Match": etag });
    expect([again.status, openElements(await again.text())]).toEqual([200, []]);
  });

  it("has the relation of histories in its head, since those that parted too long ago decide the status", async () => {
    const { head, rest } = await begun("/compare/main~3...main");
    bed.gate.mode = "open";
    bed.gate.release();
    await rest();
    expect(head).toContain("<p>3 commits ahead.</p>");
  });
});
