/**
 * Where Durable Objects live: the one place they are addressed from, so that none is made outside of the jurisdiction that the
 * operator has chosen.
 *
 * @packageDocumentation
 */

/** What the operator says of it, as text. Empty and absent are the same. */
export type PlacementSettings = {
  /** Where objects run and keep their data. Part of each object's identity: with another one there are other objects, all empty. */
  readonly JURISDICTION?: string;
  /** Where an object is made, if nearby: a hint, which counts at the first request for that object only. */
  readonly LOCATION_HINT?: string;
};

/** The jurisdictions there are. */
export const JURISDICTIONS: readonly DurableObjectJurisdiction[] = ["eu", "fedramp", "fedramp-high", "us"];

/** The locations there are. */
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

/** Of a namespace of Durable Objects, what it takes to address one. */
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
  // Better no host at all than data in another place than was meant.
  if (value === undefined) throw new RangeError(`${name} is ${text}, which is none of ${known.join(", ")}`);
  return value;
}

/**
 * Gives the object of a name. It is asked nothing yet.
 *
 * @throws RangeError where the settings name no place.
 */
export function objectNamed<Stub>(namespace: ObjectNamespace<Stub>, name: string, settings: PlacementSettings): Stub {
  const jurisdiction = chosen(settings.JURISDICTION, JURISDICTIONS, "JURISDICTION");
  const locationHint = chosen(settings.LOCATION_HINT, LOCATION_HINTS, "LOCATION_HINT");
  const within = jurisdiction === undefined ? namespace : namespace.jurisdiction(jurisdiction);
  const id = within.idFromName(name);
  return locationHint === undefined ? within.get(id) : within.get(id, { locationHint });
}
