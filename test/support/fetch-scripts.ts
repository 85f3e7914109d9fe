/**
 * Random requests to upload-pack: such as a client might send, with lines of every kind in odd company, and such as no client sends.
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5), gitprotocol-pack(5)
 */
import * as fc from "fast-check";
import { pktLines } from "./git-raw.ts";

/** What the lines of a request may name. */
export type Names = {
  readonly refs: readonly string[];
  readonly commits: readonly string[];
  /** Tags, trees and blobs. */
  readonly others: readonly string[];
  /** Times between those of the commits, in seconds since the epoch. */
  readonly times: readonly number[];
};

/** A request: its lines, of which `0000` and `0001` are themselves. */
export type FetchScript = {
  readonly version: 0 | 1 | 2;
  readonly lines: readonly string[];
  /** Bytes that are cut off at its end. */
  readonly cut: number;
};

const ABSENT = "12".repeat(20);
const FILTERS = [
  "blob:none",
  "blob:limit=20",
  "blob:limit=1k",
  "tree:0",
  "tree:1",
  "tree:2",
  "object:type=commit",
  "object:type=tree",
  "object:type=blob",
  "object:type=tag",
  "combine:blob:none+tree:2",
  "combine:tree:1+object:type=tree",
];
const JUNK = [
  "",
  "nonsense",
  "want",
  "want ",
  "have x",
  "deepen -1",
  "deepen x",
  "deepen-since x",
  "filter x",
  "shallow x",
  "done x",
  "DONE",
  "want-ref",
  "0001",
  "0000",
];

type Lines = fc.Arbitrary<string[]>;

const often = <T>(weight: number, arbitrary: fc.Arbitrary<T>): fc.WeightedArbitrary<T> => ({ weight, arbitrary });
const none: Lines = fc.constant([]);
const maybe = (percent: number, lines: Lines): Lines => fc.oneof(often(100 - percent, none), often(percent, lines));
const one = (arbitrary: fc.Arbitrary<string>): Lines => arbitrary.map((line) => [line]);

/** Names of objects: mostly commits. */
function oids({ commits, others }: Names): fc.Arbitrary<string> {
  return fc.oneof(
    often(24, fc.constantFrom(...commits)),
    often(5, fc.constantFrom(...others)),
    often(1, fc.constantFrom(ABSENT, "0".repeat(40))),
  );
}

function someLines(word: string, names: fc.Arbitrary<string>, most: number, least = 0): Lines {
  return fc.array(names, { minLength: least, maxLength: most }).map((list) => list.map((name) => `${word} ${name}`));
}

/** Lines about depth. One request has one kind of them, or an odd mixture. */
function depthLines(names: Names): Lines {
  const since = fc.constantFrom(...names.times).map((time) => `deepen-since ${time}`);
  const not = fc.constantFrom(...names.refs, "refs/heads/none").map((ref) => `deepen-not ${ref}`);
  const depth = fc.integer({ min: 1, max: 6 }).map((count) => `deepen ${count}`);
  return fc.oneof(
    often(8, one(depth)),
    often(3, one(since)),
    often(3, fc.array(not, { minLength: 1, maxLength: 2 })),
    often(
      2,
      fc.tuple(since, not).map((both) => [...both]),
    ),
    often(
      1,
      fc.tuple(depth, since).map((both) => [...both]),
    ),
    often(1, one(fc.constantFrom("deepen 0", "deepen 2147483647", "deepen-relative"))),
  );
}

/** Puts one odd line somewhere, takes one away, doubles one or changes the order of two. */
function spoilt(lines: readonly string[], at: number, how: number, junk: string): string[] {
  const made = [...lines];
  const place = at % (made.length + 1);
  const line = made[place];
  if (how === 0 || line === undefined) made.splice(place, 0, junk);
  else if (how === 1) made.splice(place, 1);
  // C git takes capabilities behind each want; here only the first line has some.
  else if (how === 2) made.splice(place + 1, 0, line.replace(/^(want [0-9a-f]+) .*$/, "$1"));
  else made.push(...made.splice(place, 1));
  return made;
}

/** Gives the script as it is in most cases, else with something wrong. */
function withSlips(version: FetchScript["version"], lines: Lines): fc.Arbitrary<FetchScript> {
  // C git takes a delimiter for a flush in versions 0 and 1, where there is none.
  const odd = JUNK.filter((line) => version === 2 || line !== "0001");
  const slip = fc.tuple(fc.nat(60), fc.nat(3), fc.constantFrom(...odd));
  return fc.oneof(
    often(
      8,
      lines.map((right) => ({ version, lines: right, cut: 0 })),
    ),
    often(
      2,
      fc
        .tuple(lines, slip)
        .map(([right, [at, how, junk]]) => ({ version, lines: spoilt(right, at, how, junk), cut: 0 })),
    ),
    often(
      1,
      fc.tuple(lines, fc.integer({ min: 1, max: 60 })).map(([right, cut]) => ({ version, lines: right, cut })),
    ),
  );
}

const HEADS = ["agent=git/2.40", "object-format=sha1", "server-option=x", "session-id=x"];

/** A request of version 2, with a command's capabilities and arguments. */
function commandLines(command: string, body: Lines): Lines {
  return fc
    .tuple(fc.subarray(HEADS), body)
    .map(([head, args]) => [`command=${command}`, ...head, ...(args.length > 0 ? ["0001", ...args] : []), "0000"]);
}

/** Requests to fetch in version 2. */
export function fetchesV2(names: Names): fc.Arbitrary<FetchScript> {
  const name = oids(names);
  const flags = fc.subarray(["thin-pack", "no-progress", "include-tag", "ofs-delta", "sideband-all", "wait-for-done"]);
  const body = fc
    .tuple(
      flags,
      someLines("want", name, 3, 1),
      maybe(20, someLines("shallow", fc.constantFrom(...names.commits), 3)),
      maybe(35, depthLines(names)),
      maybe(30, one(fc.constantFrom(...FILTERS).map((filter) => `filter ${filter}`))),
      maybe(60, someLines("have", name, 5)),
      maybe(65, one(fc.constant("done"))),
      fc.boolean(),
    )
    .map(([first, ...rest]) => {
      const isTurned = rest.pop() as boolean;
      const groups = [first, ...(rest as string[][])];
      return (isTurned ? groups : groups.toReversed()).flat();
    });
  return withSlips(2, commandLines("fetch", body));
}

/** Requests to list refs. */
export function listings({ refs }: Names): fc.Arbitrary<FetchScript> {
  const prefixes = fc.constantFrom(...refs, "refs/heads/", "refs/tags/", "refs/", "HEAD", "refs/heads/m", "", "x", "/");
  const body = fc
    .tuple(fc.subarray(["peel", "symrefs", "unborn"]), someLines("ref-prefix", prefixes, 3))
    .map(([flags, lines]) => [...flags, ...lines]);
  return withSlips(2, commandLines("ls-refs", body));
}

/**
 * Requests for the sizes of objects. Each asks for the size: C git leaves it to chance what it tells where that is missing
 * (`struct requested_info info`, which nothing sets, in its protocol-caps.c).
 */
export function infoRequests(names: Names): fc.Arbitrary<FetchScript> {
  const body = someLines("oid", oids(names), 4).map((lines) => ["size", ...lines]);
  return withSlips(2, commandLines("object-info", body));
}

const OLD_CAPABILITIES = ["thin-pack", "ofs-delta", "no-progress", "include-tag", "agent=git/2.40"];
const BANDS = ["", "side-band", "side-band-64k"];
const ACKNOWLEDGEMENTS = [
  "",
  "multi_ack",
  "multi_ack_detailed",
  "multi_ack_detailed no-done",
  "multi_ack no-done",
  "no-done",
];

/** Requests to fetch in versions 0 and 1, as they are over HTTP: wants, and one round of haves. */
export function fetchesV0(names: Names): fc.Arbitrary<FetchScript> {
  const name = oids(names);
  const capabilities = fc
    .tuple(fc.subarray(OLD_CAPABILITIES), fc.constantFrom(...BANDS), fc.constantFrom(...ACKNOWLEDGEMENTS))
    .map(([some, band, acknowledgement]) => [...some, band, acknowledgement].filter((word) => word !== "").join(" "));
  const filter = maybe(25, one(fc.constantFrom(...FILTERS).map((spec) => `filter ${spec}`)));
  const rounds = fc.oneof(
    often(2, fc.constant(["done"])),
    often(
      4,
      fc
        .tuple(someLines("have", name, 6, 1), fc.boolean())
        .map(([haves, flush]) => [...haves, ...(flush ? ["0000"] : []), "done"]),
    ),
    often(
      2,
      someLines("have", name, 6, 1).map((haves) => [...haves, "0000"]),
    ),
    often(1, none),
  );
  const lines = fc
    .tuple(
      capabilities,
      someLines("want", name, 3, 1),
      maybe(20, someLines("shallow", fc.constantFrom(...names.commits), 3)),
      maybe(30, depthLines(names)),
      filter,
      rounds,
    )
    .map(([words, wants, shallow, depth, filters, haves]) => {
      const all = `${words}${filters.length > 0 ? " filter" : ""}`.trim();
      const [first = "", ...more] = wants;
      return [all === "" ? first : `${first} ${all}`, ...more, ...shallow, ...depth, ...filters, "0000", ...haves];
    });
  return fc.constantFrom<0 | 1>(0, 1).chain((version) => withSlips(version, lines));
}

/** The bytes of a request. */
export function scriptBytes({ lines, cut }: FetchScript): Buffer {
  const bytes = pktLines(...lines);
  return bytes.subarray(0, Math.max(0, bytes.length - cut));
}
