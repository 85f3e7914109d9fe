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

/** Values that hide a mistake when they stand in for what is missing: an index that is out of bounds becomes a zero. */
const SILENT = new Set([0, ""]);

function isSilent(node) {
  if (node.type === "Literal") return SILENT.has(node.value);
  return node.type === "UnaryExpression" && node.operator === "-" && node.argument.value === 1;
}

/**
 * A default of 0, -1 or the empty text is either an accessor of `bytes/assert.ts` that throws, or says beside it why nothing
 * is what is meant: in a comment on its line or on the line above.
 */
const defaultWithReason = {
  meta: {
    type: "problem",
    messages: {
      silent: "Read through an accessor that throws (bytes/assert.ts), or say beside it why this default is meant.",
    },
  },
  create(context) {
    const lines = () => context.sourceCode.getAllComments().flatMap(({ loc }) => [loc.start.line, loc.end.line]);
    let commented;
    return {
      LogicalExpression(node) {
        if (node.operator !== "??" || !isSilent(node.right)) return;
        commented ??= new Set(lines());
        const line = node.right.loc.start.line;
        if (!commented.has(line) && !commented.has(line - 1)) context.report({ node, messageId: "silent" });
      },
    };
  },
};

export default {
  meta: { name: "house" },
  rules: { "disable-with-reason": disableWithReason, "default-with-reason": defaultWithReason },
};
