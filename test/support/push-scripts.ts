/**
 * Random requests to receive-pack: commands, capabilities, options, shallow lines and packs in odd company.
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5), receive-pack.c
 */
import * as fc from "fast-check";
import { pkt, ZERO } from "./git-raw.ts";

/** A command: it changes a ref, whose old value is told rightly or not. */
export type ScriptCommand = {
  readonly ref: string;
  readonly old: "right" | "zero" | "wrong";
  /** A name of an object, or of nothing to delete the ref. A deletion tells the old value rightly, or as that of another ref. */
  readonly next: string;
};

/** A push: what its lines say, and which pack comes behind them. */
export type PushScript = {
  readonly commands: readonly ScriptCommand[];
  readonly capabilities: readonly string[];
  readonly options: readonly string[] | undefined;
  readonly shallow: readonly string[];
  readonly pack: string;
  readonly slip: Slip;
};

/** Something that is wrong with the lines themselves. */
type Slip = "none" | "no flush" | "two flushes" | "an odd line" | "cut off";

/** What pushes may name. */
export type PushNames = {
  readonly refs: readonly string[];
  readonly values: readonly string[];
  readonly commits: readonly string[];
  readonly packs: readonly string[];
};

const CAPABILITIES = [
  "side-band-64k",
  "quiet",
  "atomic",
  "ofs-delta",
  "delete-refs",
  "agent=git/2.40",
  "object-format=sha1",
];
const ODD_REFS = [
  "refs/heads/",
  "refs/heads/a..b",
  "refs/heads/main.lock",
  "refs/heads/main/below",
  "refs/heads/-x",
  "refs/heads/@",
  "refs/heads/a b",
  "refs/x",
  "HEAD",
  "main",
  "refs/heads/new/deep",
  "refs/notes/commits",
];

const often = <T>(weight: number, arbitrary: fc.Arbitrary<T>): fc.WeightedArbitrary<T> => ({ weight, arbitrary });

/** Pushes of one to four commands, none of which names a ref twice. */
export function pushes({ refs, values, commits, packs }: PushNames): fc.Arbitrary<PushScript> {
  const command = fc.record<ScriptCommand>({
    ref: fc.oneof(often(9, fc.constantFrom(...refs)), often(2, fc.constantFrom(...ODD_REFS))),
    old: fc.oneof(
      often(8, fc.constant("right" as const)),
      often(2, fc.constantFrom("zero" as const, "wrong" as const)),
    ),
    next: fc.oneof(
      often(9, fc.constantFrom(...values)),
      often(3, fc.constant(ZERO)),
      often(1, fc.constant("12".repeat(20))),
    ),
  });
  const report = fc.oneof(
    often(4, fc.constant(["report-status"])),
    often(4, fc.constant(["report-status-v2"])),
    often(1, fc.constantFrom<string[]>([], ["report-status", "report-status-v2"])),
  );
  return fc.record<PushScript>({
    commands: fc.uniqueArray(command, { minLength: 1, maxLength: 4, selector: ({ ref }) => ref }),
    capabilities: fc.tuple(report, fc.subarray(CAPABILITIES)).map((both) => both.flat()),
    options: fc.oneof(
      often(4, fc.constant(undefined)),
      often(1, fc.array(fc.constantFrom("one", "two=2", "", "x".repeat(300)), { maxLength: 3 })),
    ),
    shallow: fc.oneof(
      often(9, fc.constant([])),
      often(1, fc.array(fc.constantFrom(...commits), { minLength: 1, maxLength: 2 })),
    ),
    pack: fc.constantFrom(...packs),
    slip: fc.oneof(
      often(12, fc.constant("none" as const)),
      often(1, fc.constantFrom<Slip>("no flush", "two flushes", "an odd line", "cut off")),
    ),
  });
}

/** The bytes of a push. `valueOf` gives what a ref has, `packs` the packs by their names; `other` is an object that no ref names. */
export function pushBytes(
  script: PushScript,
  valueOf: (ref: string) => string | undefined,
  { packs, other }: { readonly packs: ReadonlyMap<string, Uint8Array>; readonly other: string },
): Buffer {
  const { commands, capabilities, options, shallow, slip } = script;
  const words = [...capabilities, ...(options === undefined ? [] : ["push-options"])].join(" ");
  const lines = commands.map(({ ref, old, next }, at) => {
    const present = valueOf(ref) ?? ZERO;
    // C git lets a deletion pass whose old value is no object that it has: see docs/shortcomings.md.
    const isUnknown = old === "zero" && next !== ZERO;
    const told = old === "wrong" ? other : isUnknown ? ZERO : present;
    return pkt(`${told} ${next} ${ref}${at === 0 ? `\0${words}` : ""}`);
  });
  const end = slip === "no flush" ? [] : [Buffer.from("0000")];
  if (slip === "two flushes") end.push(Buffer.from("0000"));
  if (slip === "an odd line") lines.push(pkt("nonsense"));
  const said = options === undefined ? [] : [...options.map((option) => pkt(option)), Buffer.from("0000")];
  const cuts = shallow.map((oid) => pkt(`shallow ${oid}`));
  const bytes = Buffer.concat([...cuts, ...lines, ...end, ...said, packs.get(script.pack) ?? Buffer.alloc(0)]);
  return slip === "cut off" ? bytes.subarray(0, Math.max(0, bytes.length - 30)) : bytes;
}
