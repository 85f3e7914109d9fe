/** The type of each grammar of highlight.js: see `highlight.d.ts`. */
declare const grammar: (library: unknown) => object;
export default grammar;
