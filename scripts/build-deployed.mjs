// Makes what is deployed: the Worker, and the files that hosts serve as they are, which are the command as a package, the API's
// description, and what pages need. Wrangler runs it before it uploads.
import { buildDescription } from "./build-description.mjs";
import { buildPackage } from "./build-package.mjs";
import { buildPages } from "./build-pages.mjs";
import { buildWorker } from "./worker-bundle.mjs";

await buildPackage();
await buildDescription();
await buildPages();
await buildWorker();
