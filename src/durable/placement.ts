/**
 * Addresses Durable Objects. It is the one place that does so: no object is made outside the jurisdiction that the
 * operator has chosen.
 *
 * @packageDocumentation
 */

/** The operator's settings of placement, as text. An empty setting is the same as an absent one. */
export type PlacementSettings = {
  /**
   * Where objects run and keep their data. It is part of each object's identity: a change of it leads to other objects,
   * all empty.
   */
  readonly JURISDICTION?: string;
  /** Where a new object is made, if possible. It is a hint, and only the first request for that object uses it. */
  readonly LOCATION_HINT?: string;
};

/** The jurisdictions that Cloudflare has. */
export const JURISDICTIONS: readonly DurableObjectJurisdiction[] = ["eu", "fedramp", "fedramp-high", "us"];

/** The location hints that Cloudflare knows. */
export const LOCATION_HINTS: readonly DurableObjectLocationHint[] = [
  "wnam",
  "enam",
  "sam",
  "weur",
  "eeur",
  "apac",
  "apac-ne",
  "apac-se",
  "oc",
  "afr",
  "me",
];

/** The part of a namespace of Durable Objects that addressing one needs. */
export interface ObjectNamespace<Stub> {
  jurisdiction(jurisdiction: DurableObjectJurisdiction): ObjectNamespace<Stub>;
  idFromName(name: string): DurableObjectId;
  get(id: DurableObjectId, options?: { locationHint?: DurableObjectLocationHint }): Stub;
}

function chosen<Value extends string>(
  text: string | undefined,
  known: readonly Value[],
  name: string,
): Value | undefined {
  if (text === undefined || text === "") return undefined;
  const value = known.find((candidate) => candidate === text);
  // A host that fails is better than data in a place that was not meant.
  if (value === undefined) throw new RangeError(`${name} is ${text}, which is none of ${known.join(", ")}`);
  return value;
}

/**
 * Returns the name by which an object is addressed.
 *
 * @throws Error if it is addressed by its id.
 */
export function nameOf({ name }: DurableObjectId): string {
  if (name === undefined) throw new Error("addressed by id, not by name");
  return name;
}

/**
 * Returns the stub of the object with this name. It sends no request yet.
 *
 * @throws RangeError if a setting names no known place.
 */
export function objectNamed<Stub>(namespace: ObjectNamespace<Stub>, name: string, settings: PlacementSettings): Stub {
  const jurisdiction = chosen(settings.JURISDICTION, JURISDICTIONS, "JURISDICTION");
  const locationHint = chosen(settings.LOCATION_HINT, LOCATION_HINTS, "LOCATION_HINT");
  const within = jurisdiction === undefined ? namespace : namespace.jurisdiction(jurisdiction);
  const id = within.idFromName(name);
  return locationHint === undefined ? within.get(id) : within.get(id, { locationHint });
}
