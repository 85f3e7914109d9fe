/**
 * JSON that somebody else wrote, read with care.
 *
 * @packageDocumentation
 */

/** An object of unknown members. */
export type Json = Readonly<Record<string, unknown>>;

/** Whether a value is an object, and no list. */
export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns a member that is an object; `{}` if it is anything else. */
export function objectAt(json: Json, name: string): Json {
  const value = json[name];
  return isJson(value) ? value : {};
}

/** Returns the objects of a list; none if it is no list. */
export function listAt(json: Json, name: string): Json[] {
  const value = json[name];
  return Array.isArray(value) ? value.filter(isJson) : [];
}

/** Returns a member as text; "" if it is absent. */
export function textAt(json: Json, name: string): string {
  return shownValue(json[name]);
}

/** Shows a value to people: lists with commas, nothing as "". */
export function shownValue(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) return value.map(shownValue).join(", ");
  if (typeof value === "string") return value;
  return JSON.stringify(value);
}
