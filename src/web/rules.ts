/**
 * Rules of protected refs, as the API has them and as forms change them.
 *
 * @packageDocumentation
 */
import * as v from "valibot";

const rule = v.object({
  pattern: v.string(),
  allow_force_push: v.boolean(),
  allow_deletion: v.boolean(),
  pushers: v.nullish(v.array(v.string())),
  require_signed: v.boolean(),
  required_contexts: v.array(v.string()),
});

/** The rules of a repository. */
export const protectedRefs = v.array(rule);

/** A rule as the API shows it to those who administer the repository. */
export type ShownRule = v.InferOutput<typeof rule>;

/** Returns the rule that a form describes. */
export function ruleOf(form: URLSearchParams): ShownRule {
  const listOf = (name: string): string[] => form.getAll(name).join(",").split(/[\s,]+/).filter((item) => item !== ""); // prettier-ignore
  const pushers = listOf("pushers");
  return {
    pattern: (form.get("pattern") ?? "").trim(), // The API says what is wrong with an empty one.
    allow_force_push: form.has("allow_force_push"),
    allow_deletion: form.has("allow_deletion"),
    pushers: pushers.length === 0 ? null : pushers,
    require_signed: form.has("require_signed"),
    required_contexts: listOf("required_contexts"),
  };
}
