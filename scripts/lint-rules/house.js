// The house's own lint rules, loaded by .oxlintrc.json. Plain JavaScript, because the linter loads it without a compiler.

const DIRECTIVE = /^\s*(?:oxlint|eslint)-disable(?:-next-line|-line)?(?:\s|$)/;
const REASON = /\s--\s+\S/;

/** Every lint disable says, after two dashes, why the rule is wrong there. */
const disableWithReason = {
  meta: { type: "problem", messages: { missing: "Say why the rule does not hold here: `… -- reason`." } },
  create(context) {
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments()) {
          if (DIRECTIVE.test(comment.value) && !REASON.test(comment.value)) {
            context.report({ loc: comment.loc, messageId: "missing" });
          }
        }
      },
    };
  },
};

export default {
  meta: { name: "house" },
  rules: { "disable-with-reason": disableWithReason },
};
