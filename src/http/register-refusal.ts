/**
 * Explains why a tenant takes no repository of a name, to git and to the API alike.
 *
 * @packageDocumentation
 */
import type { RegisterRefusal } from "../access/directory.ts";

/** Returns the status and the sentence. Only a requester that may administer the tenant gets them. */
export function explainRegisterRefusal(why: RegisterRefusal): { status: 403 | 404 | 409; detail: string } {
  switch (why) {
    case "missing-tenant":
      return { status: 404, detail: "There is no such tenant." };
    case "leaving":
      return {
        status: 409,
        detail: "A tenant of this name is being deleted. Try again when its repositories have gone.",
      };
    case "removing":
      return { status: 409, detail: "A repository of this name is being deleted. Try again in a moment." };
    case "no-push-to-create":
      return { status: 403, detail: "A push makes no repository in this tenant: make it through the API first." };
    case "repo-quota":
      return { status: 403, detail: "The tenant has as many repositories as it may." };
  }
}
