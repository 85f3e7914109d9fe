/**
 * Capabilities as text: `name` or `name=value`, separated by spaces behind the NUL of a first line (versions 0 and 1), or one to a
 * pkt-line (version 2).
 *
 * @packageDocumentation
 * @see gitprotocol-capabilities(5), gitprotocol-v2(5)
 */

/** One capability; a `value` may be empty, as in `session-id=`. */
export type Capability = { readonly name: string; readonly value: string | undefined };

/** Parses `name` or `name=value`. */
export function parseCapability(text: string): Capability {
  const equals = text.indexOf("=");
  return equals < 0 ? { name: text, value: undefined } : { name: text.slice(0, equals), value: text.slice(equals + 1) };
}

/** Formats a capability as {@link parseCapability} reads it. */
export function formatCapability(capability: Capability): string {
  return capability.value === undefined ? capability.name : `${capability.name}=${capability.value}`;
}

/** The capabilities one side named, in order; a name may come more than once (`symref`, `object-format`). */
export class CapabilityList implements Iterable<Capability> {
  readonly #byName = new Map<string, Capability[]>();
  readonly #all: Capability[] = [];

  /** Adds one capability behind the others. */
  add(capability: Capability): void {
    this.#all.push(capability);
    const named = this.#byName.get(capability.name);
    if (named === undefined) this.#byName.set(capability.name, [capability]);
    else named.push(capability);
  }

  /** Tells whether the name was given, with or without a value. */
  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** Gives the first value that came with the name; `undefined` where there is none. */
  value(name: string): string | undefined {
    return this.#byName.get(name)?.[0]?.value;
  }

  /** Gives every value that came with the name. */
  values(name: string): string[] {
    return (this.#byName.get(name) ?? []).flatMap(({ value }) => (value === undefined ? [] : [value]));
  }

  /** Whether the value of `name` is a space-separated list with `feature` in it: `fetch=shallow filter`. */
  hasFeature(name: string, feature: string): boolean {
    return this.values(name).some((value) => value.split(" ").includes(feature));
  }

  /** Gives the capabilities in the order they were named. */
  [Symbol.iterator](): Iterator<Capability> {
    return this.#all[Symbol.iterator]();
  }
}

/** Parses a list separated by white space, as git does: runs of it, and none at all, are fine. */
export function parseCapabilityList(text: string): CapabilityList {
  const list = new CapabilityList();
  for (const token of text.split(/[ \t\r\n]+/)) if (token !== "") list.add(parseCapability(token));
  return list;
}

/** Formats a list as {@link parseCapabilityList} reads it. */
export function formatCapabilityList(list: Iterable<Capability>): string {
  return Array.from(list, formatCapability).join(" ");
}
