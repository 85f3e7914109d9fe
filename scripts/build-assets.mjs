// Makes the files that hosts serve as they are: the command as a package, and the API's description. Wrangler runs it before it bundles.
import { buildDescription } from "./build-description.mjs";
import { buildPackage } from "./build-package.mjs";

await buildPackage();
await buildDescription();
