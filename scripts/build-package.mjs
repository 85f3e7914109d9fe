// Packs the command as a package that needs no other, `build/assets/-/thinpack.tgz`: hosts serve it to `npm install --global`. Plain
// JavaScript, since wrangler runs it on the system's Node.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { builtAt, changedAt } from "./changed-at.mjs";
import { buildCommand } from "./build-command.mjs";
import { buildSbom } from "./build-sbom.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const bundle = join(root, "build", "thinpack.cjs");
const helper = join(root, "build", "git-remote-thinpack.cjs");
/** The types of the binding for other Workers: types alone, so that the file is a declaration as it stands. */
const types = join(root, "src", "host", "git-host-types.ts");
const output = join(root, "build", "assets", "-", "thinpack.tgz");
const BLOCK = 512;

/** Makes an entry of a tar archive: a header of one block, and the content up to whole blocks. See tar(5), "POSIX ustar Archives". */
function tarEntry(name, content, mode) {
  const header = Buffer.alloc(BLOCK);
  const field = (at, text) => header.write(text, at, "latin1");
  const octal = (value, digits) => `${value.toString(8).padStart(digits, "0")}\0`;
  field(0, name);
  field(100, octal(mode, 7));
  field(108, octal(0, 7));
  field(116, octal(0, 7));
  field(124, octal(content.length, 11));
  // The same time each time, so that the same command makes the same package.
  field(136, octal(499_162_500, 11));
  // The checksum is that of a header whose checksum is blanks.
  field(148, " ".repeat(8));
  field(156, "0");
  field(257, "ustar\x0000");
  const sum = header.reduce((total, byte) => total + byte, 0);
  field(148, `${octal(sum, 6)} `);
  return Buffer.concat([header, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)]);
}

/** What npm reads of the package. */
function packageFile() {
  const { name, version, description, license, engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const bin = { thinpack: "thinpack.cjs", "git-remote-thinpack": "git-remote-thinpack.cjs" };
  const exports = { "./binding": { types: "./binding.d.ts" } };
  const members = { name, version, description, license, bin, exports, engines };
  return Buffer.from(`${JSON.stringify(members, undefined, 2)}\n`);
}

/** Makes the package where it is missing or older than the command; gives its name. */
export async function buildPackage() {
  await buildCommand();
  const sbom = buildSbom();
  if (
    builtAt(output) >
    Math.max(...[bundle, helper, types, sbom, fileURLToPath(import.meta.url)].map((input) => changedAt(input)))
  )
    return output;
  const archive = Buffer.concat([
    tarEntry("package/package.json", packageFile(), 0o644),
    tarEntry("package/LICENSE", readFileSync(join(root, "LICENSE")), 0o644),
    tarEntry("package/sbom.cdx.json", readFileSync(sbom), 0o644),
    tarEntry("package/thinpack.cjs", readFileSync(bundle), 0o755),
    tarEntry("package/git-remote-thinpack.cjs", readFileSync(helper), 0o755),
    tarEntry("package/binding.d.ts", readFileSync(types), 0o644),
    Buffer.alloc(2 * BLOCK),
  ]);
  mkdirSync(dirname(output), { recursive: true });
  const fresh = `${dirname(dirname(dirname(output)))}/thinpack.tgz.${process.pid}`;
  writeFileSync(fresh, gzipSync(archive, { level: 9 }));
  renameSync(fresh, output);
  return output;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPackage();
