/**
 * `/{tenant}/{repo}/settings/rules`: which refs are protected, and from what.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import * as v from "valibot";
import { ActionForm } from "./action-form.tsx";
import { apiTagged } from "./api-json.ts";
import type { PageEnv } from "./page-host.ts";
import { protectedRefs, type ShownRule } from "./rules.ts";
import { administered, apiPath, type Section, settingsAnswer, settingsOf } from "./settings-frame.tsx";
import { ListTable } from "./list-table.tsx";

/** A section, and the tag of the settings that it shows: a form changes no others. */
type RulesSection = Section & { readonly tag: string };

function Allowed({ rule }: { readonly rule: ShownRule }) {
  const words = [
    rule.allow_force_push ? "forced pushes" : "",
    rule.allow_deletion ? "deletion" : "",
    rule.require_signed ? "signed pushes alone" : "",
    ...rule.required_contexts.map((context) => `commits that succeeded in ${context}`),
  ].filter((word) => word !== "");
  return <>{words.length === 0 ? "pushes that go forward" : words.join(", ")}</>;
}

function Rules({ page, token, tag, rules }: RulesSection & { readonly rules: readonly ShownRule[] }) {
  if (rules.length === 0) return <p class="note">No ref is protected.</p>;
  return (
    <ListTable label="Rules" heads={["Refs", "Lets through", "Who may push", "Remove"]}>
      {rules.map((rule, at) => (
        <tr>
          <td>
            <bdi>{rule.pattern}</bdi>
          </td>
          <td>
            <Allowed rule={rule} />
          </td>
          <td>
            <bdi>{rule.pushers?.join(", ") ?? "whoever may write"}</bdi>
          </td>
          <td>
            <ActionForm to={settingsOf(page)} token={token} action="remove-rule">
              <input type="hidden" name="tag" value={tag} />
              <input type="hidden" name="rule" value={String(at)} />
              <button aria-label={`Remove the rule for ${rule.pattern}`}>Remove</button>
            </ActionForm>
          </td>
        </tr>
      ))}
    </ListTable>
  );
}

function AddRule({ page, token, tag }: RulesSection) {
  return (
    <section>
      <h2>Protect refs</h2>
      <ActionForm to={settingsOf(page)} token={token} action="add-rule">
        <input type="hidden" name="tag" value={tag} />
        <p>
          <label>
            Branch, or ref, with * for anything{" "}
            <input name="pattern" required placeholder="main" spellcheck={false} size={30} />
          </label>{" "}
          <label>
            Tokens that may push, by name; empty for all <input name="pushers" size={30} />
          </label>
        </p>
        <p>
          <label>
            Contexts in which a commit has to have succeeded; empty for none{" "}
            <input name="required_contexts" spellcheck={false} size={30} />
          </label>
        </p>
        <p>
          <label>
            <input type="checkbox" name="allow_force_push" value="1" /> Let forced pushes through
          </label>{" "}
          <label>
            <input type="checkbox" name="allow_deletion" value="1" /> Let it be deleted
          </label>{" "}
          <label>
            <input type="checkbox" name="require_signed" value="1" /> Only signed pushes
          </label>
        </p>
        <p>
          <button>Add</button>
        </p>
      </ActionForm>
    </section>
  );
}

/** Answers with the page. */
export async function rulesPage(context: Context<PageEnv>): Promise<Response> {
  return await administered(context, async (page) => {
    const { body, tag } = await apiTagged(context, apiPath(page), v.object({ protected: protectedRefs }));
    return await settingsAnswer(context, page, {
      at: "/settings/rules",
      body: (section) => (
        <>
          <section>
            <h2>Protected refs</h2>
            <Rules {...section} tag={tag} rules={body.protected} />
          </section>
          <AddRule {...section} tag={tag} />
        </>
      ),
    });
  });
}
