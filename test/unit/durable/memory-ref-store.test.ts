import { memoryRefStore } from "../../support/memory-ref-store.ts";
import { refStoreSuite } from "../../suites/ref-store.ts";

refStoreSuite("in memory", async () => memoryRefStore());
