/**
 * A form that does what can't be undone, once the visitor has typed the name of the repository.
 *
 * @packageDocumentation
 */
import type { Child } from "hono/jsx";
import { ActionForm } from "./action-form.tsx";
import { shownNames } from "./repository-request.ts";
import { type Section, settingsOf } from "./settings-frame.tsx";

/** The form. `text` is what it does, as a sentence without its point. */
export function ConfirmedForm({
  page,
  token,
  action,
  text,
  button,
  children,
}: Section & {
  readonly action: string;
  readonly text: string;
  readonly button: string;
  readonly children?: Child;
}) {
  const { repo } = shownNames(page.name);
  return (
    <ActionForm to={settingsOf(page)} token={token} action={action}>
      <p>
        {text}. {children}
        Type <bdi>{repo}</bdi> to confirm:{" "}
        <input name="confirm" required autocomplete="off" aria-label={`Type ${repo} to confirm: ${button}`} />{" "}
        <button class="danger">{button}</button>
      </p>
    </ActionForm>
  );
}
