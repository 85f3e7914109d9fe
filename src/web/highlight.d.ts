/**
 * The types of highlight.js that are used. Those of the package declare a browser's whole DOM, which a Worker does not
 * have, so that `tsconfig.json` names these instead.
 */
type Grammar = (library: unknown) => object;
declare const core: {
  getLanguage(name: string): object | undefined;
  registerLanguage(name: string, grammar: Grammar): void;
  highlight(
    text: string,
    options: { readonly language: string; readonly ignoreIllegals: boolean },
  ): {
    readonly value: string;
  };
};
export default core;
