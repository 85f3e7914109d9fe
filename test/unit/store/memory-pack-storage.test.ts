import { memoryPackStorage } from "../../support/memory-pack-storage.ts";
import { packStorageSuite } from "../../suites/pack-storage.ts";

packStorageSuite("in memory", async () => memoryPackStorage(1000));
