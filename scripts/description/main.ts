/** Writes the API's description to the files of the directory that is given: `openapi.json` and `docs.html`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { apiRoutes } from "../../src/api/v1/routes.ts";
import { pageOf } from "./page.ts";
import { specificationOf } from "./specification.ts";

const [, , directory = "."] = process.argv;
const specification = specificationOf(apiRoutes());
writeFileSync(join(directory, "openapi.json"), `${JSON.stringify(specification)}\n`);
writeFileSync(join(directory, "docs.html"), await pageOf(specification));
