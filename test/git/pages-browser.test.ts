/**
 * The pages in a real browser: nothing of an author's runs, nothing leaves its place, and people who can't see find their way. Chromium
 * comes from Debian; where there is none these tests are left out, as `.ci/run` installs it. `SCREENSHOTS` names a directory for pictures of
 * all pages.
 *
 * @packageDocumentation
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type Browser, launch, type Page } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { apiClient } from "../support/api-client.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { startTestHost } from "../support/host.ts";
import { COMMAND_LIMIT, WAIT_LIMIT } from "../support/time-limits.ts";

const SCREENSHOTS = process.env["SCREENSHOTS"];
const CHROMIUM = "/usr/bin/chromium";
const SCRIPT = "<script>window.broken = true</script>";
const WIDTHS = [360, 800, 1400] as const;
const SCHEMES = ["light", "dark"] as const;
const LONG = "x".repeat(200);
/** Pages of the repository below `/acme/shown`, and others. */
const PATHS = [
  "/",
  "/-/login",
  "/acme/none",
  ...[
    "",
    "/tree/main/src",
    "/blob/main/README.md",
    "/blob/main/src/main.c",
    "/blob/main/logo.svg",
    "/commits/main",
    "/commit/main",
    "/activity/main",
    "/blame/main/src/main.c",
    "/compare/main~1...main?view=split",
    "/branches",
    "/tags",
    "/search?q=main&path=src",
    "/search?q=%5B&regexp=true",
    "/search?q=x&in=names",
    `/blob/main/${LONG}`,
  ].map((path) => `/acme/shown${path}`),
];

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let host: RunningHost;
let git: GitSandbox;
let browser: Browser;

/** Pages for those who have signed in. */
const OWN_PATHS = [
  "/",
  "/-/admin",
  "/acme",
  ...["", "/rules", "/mirror", "/keys", "/lfs", "/maintenance"].map((path) => `/acme/shown/settings${path}`),
  "/acme/shown/reflog",
  "/acme/-/tokens",
  "/acme/-/ssh-keys",
];

/** What a test is told of a page: its faults, as lines. */
type Visit = { readonly page: Page; readonly faults: string[] };

/** Opens a page; whatever a browser complains of, and each request that leaves the host, is a fault. */
async function visit(
  path: string,
  options: { readonly width?: number; readonly scheme?: string; readonly hasScripts?: boolean } = {},
): Promise<Visit> {
  const { width = 1400, scheme = "light", hasScripts = true } = options;
  const page = await browser.newPage();
  // Whatever a browser is waited for: its own limits are those of a machine that does nothing else.
  page.setDefaultTimeout(WAIT_LIMIT);
  const faults: string[] = [];
  await page.setJavaScriptEnabled(hasScripts);
  await page.setViewport({ width, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  page.on("console", (message) => {
    // A page that is missing, or refuses what was asked, says so; and an image may be missing.
    const isMissing = /\b(?:404|422)\b/.test(message.text());
    const { url = "" } = message.location();
    if (!isMissing || !(url === page.url() || url.includes("/raw/"))) faults.push(`console: ${message.text()} ${url}`);
  });
  page.on("dialog", (dialog) => {
    faults.push("a dialog");
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(host.base)) faults.push(`a request to ${request.url()}`);
  });
  await page.goto(host.base + path, { waitUntil: "load" });
  // One of a phone and one of a wide window are enough to look at, and the suite takes no longer.
  if (width !== 800 && (width === 360) === (scheme === "dark")) await keepPicture(page, `${path} ${width} ${scheme}`);
  return { page, faults };
}

/** Keeps what a window shows where pictures are asked for, in a file that is called after it. */
async function keepPicture(page: Page, title: string): Promise<void> {
  if (SCREENSHOTS === undefined) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  const name = title.replaceAll(/[^\w.-]+/g, "_").slice(-100);
  await page.screenshot({ path: `${join(SCREENSHOTS, name)}.png` });
}

/** Whether something on the page is wider than the window. */
async function isTooWide(page: Page): Promise<boolean> {
  return (await page.evaluate(
    "document.documentElement.scrollWidth > document.documentElement.clientWidth",
  )) as boolean;
}

describe.skipIf(!existsSync(CHROMIUM))("the pages in a browser", () => {
  beforeAll(async () => {
    host = await startTestHost();
    git = new GitSandbox("browser");
    const operator = apiClient(host.base, "test-token");
    await operator("PUT", "/repos/acme/shown", { visibility: "public", description: `${SCRIPT} ${LONG}` });
    const work = await git.init();
    mkdirSync(join(work, "src"));
    writeFileSync(
      join(work, "README.md"),
      `# Title ${SCRIPT}\n\n</div></article></main><img src=x onerror="window.broken=true"> <b>open\n\n` +
        `<kbd><img/src=x/onerror=window.broken=true></kbd>\n\n[a](javascript:window.broken=true) ![out](https://example.com/x.png)\n\n${LONG}\n\n| ${LONG} |\n| - |\n| x |\n\n` +
        "```js\nlet a = 1; // a comment\n```\n",
    );
    writeFileSync(join(work, "src", "main.c"), `/* ${SCRIPT} */\n#include <x.h>\nint main(void) { return 0x1f; }\n`);
    writeFileSync(
      join(work, "logo.svg"),
      `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="window.broken=true">${SCRIPT}</svg>`,
    );
    writeFileSync(join(work, LONG), "x\n");
    writeFileSync(join(work, "\u202Egnp.exe"), "turned\n");
    await git.ok(["add", "-A"], { cwd: work });
    await git.ok(["commit", "-q", "-m", `${SCRIPT} ${LONG}\n\n${LONG}`], { cwd: work });
    writeFileSync(join(work, "src", "main.c"), `/* ${SCRIPT} */\nint main(void) { return 1; } /* ${LONG} */\n`);
    await git.ok(["commit", "-q", "-a", "-m", "Second"], { cwd: work });
    await git.ok(["tag", "-a", "v1", "-m", "one"], { cwd: work });
    await git.ok(["branch", "b<script>"], { cwd: work });
    await git.ok(["push", "-q", "--mirror", withToken(`${host.base}/acme/shown.git`, "test-token")], { cwd: work });
    browser = await launch({
      executablePath: CHROMIUM,
      args: ["--no-sandbox", "--disable-gpu"],
      timeout: COMMAND_LIMIT,
      protocolTimeout: WAIT_LIMIT,
    });
  });

  afterAll(async () => {
    await browser.close();
    await host.stop();
    git.close();
  });

  it.each(PATHS)("show %s at every width, in both schemes, without a fault", async (path) => {
    for (const scheme of SCHEMES) {
      for (const width of WIDTHS) {
        // Every page works without scripts, too.
        const { page, faults } = await visit(path, { width, scheme, hasScripts: width !== 800 });
        expect(faults).toEqual([]);
        expect(await isTooWide(page)).toBe(false);
        expect(await page.evaluate("window.broken")).toBeUndefined();
        expect(await page.$$("main")).toHaveLength(1);
        await page.close();
      }
    }
  });

  /** Lets axe look at a page in both schemes. Returns what it complains of. */
  async function complaints(path: string): Promise<string[]> {
    const found: string[] = [];
    for (const scheme of SCHEMES) {
      const { page } = await visit(path, { scheme, width: 800 });
      // As the browser's own tools do it: the page's policy lets in no script of this kind.
      const session = await page.createCDPSession();
      await session.send("Page.setBypassCSP", { enabled: true });
      await session.send("Runtime.evaluate", { expression: axeSource });
      const { result } = await session.send("Runtime.evaluate", {
        expression:
          "axe.run().then(({ violations }) => JSON.stringify(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])))",
        awaitPromise: true,
      });
      if (result.value !== "[]") found.push(`${scheme}: ${String(result.value)}`);
      await page.close();
    }
    return found;
  }

  it.each(PATHS)("have nothing at %s that axe complains of", async (path) => {
    expect(await complaints(path)).toEqual([]);
  });

  it("have the number of each line of a file beside it", async () => {
    const { page } = await visit("/acme/shown/blob/main/README.md?plain=1");
    const apart = (await page.evaluate(
      "document.querySelector('.numbers a:last-child').getBoundingClientRect().bottom - document.querySelector('.source code').getBoundingClientRect().bottom",
    )) as number;
    expect(Math.abs(apart)).toBeLessThan(2);
    await page.close();
  });

  it("offer the names of branches and tags for a revision", async () => {
    const { page, faults } = await visit("/acme/shown/commits/main");
    await page.focus('form.revision input[name="go"]');
    await page.waitForFunction("document.querySelectorAll('#names option').length === 3");
    const offered = await page.evaluate("Array.from(document.querySelectorAll('#names option'), (each) => each.value)");
    expect(offered).toEqual(["b<script>", "main", "v1"]);
    await page.type('form.revision input[name="go"]', "v1");
    expect(faults).toEqual([]);
    await page.close();
  });

  it.each(WIDTHS)("sign a visitor in and out without a script, in a window of %i", async (width) => {
    const operator = apiClient(host.base, "test-token");
    await operator("PUT", "/repos/acme/hidden");
    const { page, faults } = await visit("/acme/hidden", { width, hasScripts: false });
    /** What the visitor has come to must fit the window, and be without a fault. */
    const shows = async (title: string): Promise<void> => {
      expect({ title: await page.title(), isTooWide: await isTooWide(page), faults }).toEqual({
        title,
        isTooWide: false,
        faults: [],
      });
    };
    await shows("There is nothing here");
    await Promise.all([page.waitForNavigation(), page.click("main a")]);
    await shows("Sign in - thinpack");
    await page.type('input[name="token"]', "test-token");
    await Promise.all([page.waitForNavigation(), page.click("main button")]);
    expect(new URL(page.url()).pathname).toBe("/acme/hidden");
    await shows("acme/hidden");
    for (const path of OWN_PATHS) {
      const { page: own, faults: others } = await visit(path, { width, scheme: width === 360 ? "dark" : "light" });
      expect(others).toEqual([]);
      expect(`${path}: ${String(await isTooWide(own))}`).toBe(`${path}: false`);
      await own.close();
      // What axe looks at is as wide each time.
      if (width === WIDTHS[0]) expect(await complaints(path)).toEqual([]);
    }
    await Promise.all([page.waitForNavigation(), page.click(".session button")]);
    await page.goto(`${host.base}/acme/hidden`);
    await shows("There is nothing here");
    await page.close();
  });
});
