/**
 * Capabilities as text: `name` or `name=value`. Versions 0 and 1 have them behind the NUL of the first line, separated
 * by spaces; version 2 has one per pkt-line.
 *
 * @packageDocumentation
 * @see gitprotocol-capabilities(5), gitprotocol-v2(5)
 */

/** One capability. Its `value` may be empty, as in `session-id=`, and is `undefined` if there is no equals sign. */
export type Capability = { readonly name: string; readonly value: string | undefined };

/** Parses `name` or `name=value`. */
export function parseCapability(text: string): Capability {
  const equals = text.indexOf("=");
  return equals < 0 ? { name: text, value: undefined } : { name: text.slice(0, equals), value: text.slice(equals + 1) };
}

/** Formats a capability in the form that {@link parseCapability} reads. */
export function formatCapability(capability: Capability): string {
  return capability.value === undefined ? capability.name : `${capability.name}=${capability.value}`;
}

/** The capabilities that one side sent, in order. A name may occur more than once (`symref`, `object-format`). */
export class CapabilityList implements Iterable<Capability> {
  readonly #byName = new Map<string, Capability[]>();
  readonly #all: Capability[] = [];

  /** Appends one capability. */
  add(capability: Capability): void {
    this.#all.push(capability);
    const named = this.#byName.get(capability.name);
    if (named === undefined) this.#byName.set(capability.name, [capability]);
    else named.push(capability);
  }

  /** Whether the list has the name, with or without a value. */
  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** Returns the value of the first capability with this name; `undefined` if it has none. */
  value(name: string): string | undefined {
    return this.#byName.get(name)?.[0]?.value;
  }

  /** Returns every value of the capabilities with this name, in order. */
  values(name: string): string[] {
    return (this.#byName.get(name) ?? []).flatMap(({ value }) => (value === undefined ? [] : [value]));
  }

  /** Whether a value of `name` is a space-separated list that has `feature`, as in `fetch=shallow filter`. */
  hasFeature(name: string, feature: string): boolean {
    return this.values(name).some((value) => value.split(" ").includes(feature));
  }

  /** Returns an iterator over the capabilities, in the order in which they were added. */
  [Symbol.iterator](): Iterator<Capability> {
    return this.#all[Symbol.iterator]();
  }
}

/** Parses a list that is separated by white space, as git does. Repeated white space and an empty text are accepted. */
export function parseCapabilityList(text: string): CapabilityList {
  const list = new CapabilityList();
  for (const token of text.split(/[ \t\r\n]+/)) if (token !== "") list.add(parseCapability(token));
  return list;
}

/** Formats a list in the form that {@link parseCapabilityList} reads. */
export function formatCapabilityList(list: Iterable<Capability>): string {
  return Array.from(list, formatCapability).join(" ");
}
