/**
 * Finds exports of `src/` that only tests use: `knip` counts tests as users, `knip --production` does not. Each that is meant to be there
 * is listed here with its reason; one that is not listed is a fault, and so is one listed that the Worker has come to use.
 *
 * @packageDocumentation
 */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

const CODEC = "the other direction of a codec: tests write what is read here, and read what is written";
const SET = "one of a set that is used: with a hole, somebody would write it again elsewhere";

/** Why tests alone may use exports: reason, then names by file. */
const TEST_ONLY: readonly (readonly [reason: string, names: Readonly<Record<string, readonly string[]>>])[] = [
  [
    CODEC,
    {
      "src/wire/capability-list.ts": ["formatCapabilityList"],
      "src/wire/info-refs.ts": ["parseInfoRefs"],
      "src/wire/object-info.ts": ["ObjectInfoResponseParser", "formatObjectInfoArguments"],
      "src/wire/pkt-line.ts": ["encodePktLine"],
      "src/wire/protocol-version.ts": ["detectProtocolVersion"],
      "src/wire/push-certificate.ts": ["formatPushCertificate", "writePushCertificate"],
      "src/wire/push-options.ts": ["formatPushOptions"],
      "src/wire/receive-request.ts": ["formatReceiveRequest"],
      "src/wire/report-status.ts": ["ReportStatusParser"],
    },
  ],
  [
    SET,
    {
      "src/bytes/big-endian.ts": ["putU16", "putU64", "u16", "u64"],
      "src/kernel/kernel.ts": ["SCAN_SUSPECT", "WHOLE_CORRUPT", "WHOLE_LONGER", "WHOLE_NEED_INPUT", "WHOLE_SHORTER"],
      "src/kernel/object-flags.ts": ["SEEN"],
    },
  ],
  ["the page on limits states it", { "src/events/backoff.ts": ["MOST_ATTEMPTS"] }],
];

/** The part of knip's report that is read. */
type Report = {
  readonly issues: readonly { readonly file: string; readonly exports: readonly { readonly name: string }[] }[];
};

function isReport(value: unknown): value is Report {
  return value instanceof Object && "issues" in value && Array.isArray(value.issues);
}

/** Returns the exports that nothing uses but tests, as `file: name`. */
function unusedExports(): string[] {
  const knip = spawnSync("knip", ["--production", "--include", "exports,files", "--reporter", "json"], {
    cwd: root,
    encoding: "utf8",
  });
  const report: unknown = JSON.parse(knip.stdout);
  if (!isReport(report)) throw new Error("knip's report has another form");
  return report.issues.flatMap(({ file, exports }) =>
    exports.length === 0 ? [`${file}: the whole file`] : exports.map(({ name }) => `${file}: ${name}`),
  );
}

const allowed = new Set(
  TEST_ONLY.flatMap(([, files]) =>
    Object.entries(files).flatMap(([file, names]) => names.map((name) => `${file}: ${name}`)),
  ),
);
const found = new Set(unusedExports());
const problems = [
  ...[...found]
    .filter((name) => !allowed.has(name))
    .map((name) => `${name}: only tests use it; see scripts/check-production.ts`),
  ...[...allowed]
    .filter((name) => !found.has(name))
    .map((name) => `scripts/check-production.ts: no longer for tests only: ${name}`),
];
if (found.size === 0) problems.push("no export seen");
for (const problem of problems) console.error(problem);
console.log(`production: ${found.size} exports for tests only, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
