/**
 * The one table of capabilities. It decides what is advertised, what a client may ask for, and what a client is
 * refused. A capability that is not in the table cannot be offered.
 *
 * The rows are in the order in which git advertises them.
 *
 * @packageDocumentation
 * @see gitprotocol-capabilities(5), gitprotocol-v2(5)
 */
import { ProtocolError } from "../bytes/failure.ts";
import type { ObjectFormatName } from "../object/object-id.ts";
import { type Capability, type CapabilityList, formatCapability, parseCapabilityList } from "./capability-list.ts";

/** The facts on which the values of capabilities depend. */
export type CapabilityContext = {
  readonly objectFormat: ObjectFormatName;
  /** Further object formats that are accepted: a repository that its first push will create has no format yet. */
  readonly otherFormats?: readonly ObjectFormatName[];
  /** This server's name and version, printable ASCII without spaces: `thinpack/0.1.0`. */
  readonly agent: string;
  /** Whether each request is complete in itself, as over HTTP. Git offers `no-done` only then. */
  readonly stateless: boolean;
  /** Symbolic refs that resolve, as git tells clients of versions 0 and 1: HEAD, unless its branch is unborn. */
  readonly symrefs: readonly { readonly name: string; readonly target: string }[];
  /** The name of this request in the log: printable ASCII without spaces. If absent, `session-id` is not offered. */
  readonly sessionId?: string;
  /**
   * What is offered as a promisor remote, formatted (see promisor-remote.ts). If it is absent, none is. A request is read before its
   * repository is opened, and does not know what was offered: it has "".
   */
  readonly promisor?: string;
  /** The nonce that a signed push has to repeat. If absent, signed pushes are not offered. */
  readonly pushNonce?: string;
};

/**
 * The place where a capability is advertised. In versions 0 and 1 it is the first line of a service. In version 2 it is
 * a line of its own, or the value of a command, which lists its features.
 */
export type CapabilitySurface = "upload-pack" | "receive-pack" | "v2" | "ls-refs" | "fetch" | "object-info";

/**
 * `false`: not offered; `true`: offered by its bare name; a list: offered once with each value (an empty list offers
 * nothing).
 */
type Advertised = boolean | readonly string[];

/** One capability on one surface. */
export type CapabilityRow = {
  readonly surface: CapabilitySurface;
  readonly name: string;
  /** `later`: git has it, and the table lists it for completeness, but it is never offered. */
  readonly status: "offered" | "later";
  readonly advertise: (context: CapabilityContext) => Advertised;
  /** The form that a client may request it in: the bare name, with any value, or with one of the advertised values. */
  readonly request: "name" | "any-value" | "advertised-value";
  /**
   * Version 2: the row names a command, requested as `command=<name>`. The rows of the surface with that name are its
   * features.
   */
  readonly command?: true;
  /** The name of a capability that must not be requested together with this one. */
  readonly excludes?: string;
};

const always = (): Advertised => true;
const agent = (context: CapabilityContext): Advertised => [context.agent];
const objectFormat = (context: CapabilityContext): Advertised => [
  context.objectFormat,
  ...(context.otherFormats ?? []),
];
const sessionId = (context: CapabilityContext): Advertised =>
  context.sessionId === undefined ? false : [context.sessionId];
const promisor = ({ promisor: offer }: CapabilityContext): Advertised => (offer === undefined ? false : [offer]);
const pushNonce = ({ pushNonce: nonce }: CapabilityContext): Advertised => (nonce === undefined ? false : [nonce]);
const symrefs = (context: CapabilityContext): Advertised =>
  context.symrefs.map(({ name, target }) => `${name}:${target}`);

/** Makes the row of a capability that is always offered and is requested by its bare name. */
function plain(surface: CapabilitySurface, name: string): CapabilityRow {
  return { surface, name, status: "offered", advertise: always, request: "name" };
}

/** Makes the row of a capability whose value comes from the context. */
function valued(
  surface: CapabilitySurface,
  name: string,
  advertise: CapabilityRow["advertise"],
  request: CapabilityRow["request"],
): CapabilityRow {
  return { surface, name, status: "offered", advertise, request };
}

/** The capabilities of every surface, in git's order. */
export const CAPABILITIES: readonly CapabilityRow[] = [
  plain("upload-pack", "multi_ack"),
  plain("upload-pack", "thin-pack"),
  { ...plain("upload-pack", "side-band"), excludes: "side-band-64k" },
  plain("upload-pack", "side-band-64k"),
  plain("upload-pack", "ofs-delta"),
  plain("upload-pack", "shallow"),
  plain("upload-pack", "deepen-since"),
  plain("upload-pack", "deepen-not"),
  plain("upload-pack", "deepen-relative"),
  plain("upload-pack", "no-progress"),
  plain("upload-pack", "include-tag"),
  plain("upload-pack", "multi_ack_detailed"),
  plain("upload-pack", "allow-tip-sha1-in-want"),
  plain("upload-pack", "allow-reachable-sha1-in-want"),
  { ...plain("upload-pack", "no-done"), advertise: (context) => context.stateless },
  valued("upload-pack", "symref", symrefs, "advertised-value"),
  plain("upload-pack", "filter"),
  valued("upload-pack", "session-id", sessionId, "any-value"),
  valued("upload-pack", "object-format", objectFormat, "advertised-value"),
  valued("upload-pack", "agent", agent, "any-value"),

  plain("receive-pack", "report-status"),
  plain("receive-pack", "report-status-v2"),
  plain("receive-pack", "delete-refs"),
  plain("receive-pack", "side-band-64k"),
  plain("receive-pack", "quiet"),
  plain("receive-pack", "atomic"),
  plain("receive-pack", "ofs-delta"),
  // A client does not request it by name: it sends a certificate.
  valued("receive-pack", "push-cert", pushNonce, "advertised-value"),
  plain("receive-pack", "push-options"),
  valued("receive-pack", "session-id", sessionId, "any-value"),
  valued("receive-pack", "object-format", objectFormat, "advertised-value"),
  valued("receive-pack", "agent", agent, "any-value"),

  valued("v2", "agent", agent, "any-value"),
  { ...plain("v2", "ls-refs"), command: true },
  { ...plain("v2", "fetch"), command: true },
  { ...plain("v2", "server-option"), request: "any-value" },
  // Any value is accepted here: command-request.ts has git's two errors, for an unknown format and for a mismatched
  // one.
  valued("v2", "object-format", objectFormat, "any-value"),
  valued("v2", "session-id", sessionId, "any-value"),
  { ...plain("v2", "object-info"), command: true },
  { ...plain("v2", "bundle-uri"), command: true },
  valued("v2", "promisor-remote", promisor, "any-value"),

  plain("ls-refs", "unborn"),

  plain("fetch", "shallow"),
  plain("fetch", "wait-for-done"),
  plain("fetch", "filter"),
  plain("fetch", "ref-in-want"),
  plain("fetch", "sideband-all"),
  plain("fetch", "packfile-uris"),

  plain("object-info", "size"),
];

// A Map, not an object, since a client may send `__proto__` or `constructor` as a name.
const ROWS = new Map(CAPABILITIES.map((row) => [`${row.surface} ${row.name}`, row] as const));

const COMMAND_SURFACES = ["ls-refs", "fetch", "object-info"] as const satisfies CapabilitySurface[];

/** Returns the row with this surface and name, offered or not; `undefined` if there is none. */
export function findCapability(surface: CapabilitySurface, name: string): CapabilityRow | undefined {
  return ROWS.get(`${surface} ${name}`);
}

/**
 * Returns the capabilities that a row is advertised as: none if it is not offered, several if it has several values.
 */
export function advertised(row: CapabilityRow, context: CapabilityContext): Capability[] {
  const offer = row.status === "offered" && row.advertise(context);
  if (offer === false) return [];
  if (offer !== true) return offer.map((value) => ({ name: row.name, value }));
  const features = row.command === true ? [...offeredFeatures(row.name, context)] : [];
  return [{ name: row.name, value: features.length === 0 ? undefined : features.join(" ") }];
}

/** Returns all capabilities that are advertised on a surface, in git's order. */
export function advertisedOn(surface: CapabilitySurface, context: CapabilityContext): Capability[] {
  return CAPABILITIES.filter((row) => row.surface === surface).flatMap((row) => advertised(row, context));
}

/** Returns the features that a version 2 command is advertised with. They decide which arguments it accepts. */
export function offeredFeatures(command: string, context: CapabilityContext): ReadonlySet<string> {
  const surface = COMMAND_SURFACES.find((name) => name === command);
  return new Set(surface === undefined ? [] : advertisedOn(surface, context).map(({ name }) => name));
}

/** Returns the text behind the NUL of a service's first line (versions 0 and 1), without the NUL. */
export function formatServiceCapabilities(service: "upload-pack" | "receive-pack", context: CapabilityContext): string {
  return advertisedOn(service, context).map(formatCapability).join(" ");
}

/**
 * Parses and checks the capabilities that a client of versions 0 and 1 requests. C git ignores a capability that was
 * not offered; gitprotocol-capabilities(5) has the server diagnose it and abort, which this function does.
 *
 * @throws ProtocolError on a capability that was not offered, a value that it does not accept, or two that exclude each
 * other.
 */
export function acceptServiceCapabilities(
  service: "upload-pack" | "receive-pack",
  context: CapabilityContext,
  text: string,
): CapabilityList {
  const asked = parseCapabilityList(text);
  // Without this capability, receive-pack.c assumes SHA-1. Clients of upload-pack never send it: their wants show the
  // format.
  const format = asked.value("object-format") ?? (service === "receive-pack" ? "sha1" : context.objectFormat);
  if (format !== context.objectFormat) throw new ProtocolError(`unsupported object format '${format}'`);
  for (const capability of asked) {
    const row = findCapability(service, capability.name);
    const offers = row === undefined ? [] : advertised(row, context);
    if (row === undefined || offers.length === 0) {
      throw new ProtocolError(`the server did not offer the capability '${capability.name}'`);
    }
    if (!mayCarry(row, capability, offers)) {
      throw new ProtocolError(`the capability '${capability.name}' does not take the value '${capability.value}'`);
    }
    if (row.excludes !== undefined && asked.has(row.excludes)) {
      throw new ProtocolError(`the capabilities '${row.name}' and '${row.excludes}' exclude each other`);
    }
  }
  return asked;
}

function mayCarry(row: CapabilityRow, asked: Capability, offers: readonly Capability[]): boolean {
  if (row.request === "any-value" || asked.value === undefined) return true;
  return row.request === "advertised-value" && offers.some(({ value }) => value === asked.value);
}
