import { refLogSuite } from "../../../suites/ref-log.ts";
import { packCatalogSuite } from "../../../suites/pack-catalog.ts";
import { unbornHeadSuite } from "../../../suites/unborn-head.ts";
import { refNameSuite } from "../../../suites/ref-names.ts";
import { refStoreSuite } from "../../../suites/ref-store.ts";
import { repositoryLifeSuite } from "../../../suites/repository-life.ts";
import { memoryRefStore } from "../../../support/memory-ref-store.ts";

refStoreSuite("in memory", async () => memoryRefStore());
refNameSuite("in memory", async () => memoryRefStore());
packCatalogSuite("in memory", async () => memoryRefStore());
refLogSuite("in memory", async () => memoryRefStore());
unbornHeadSuite("in memory", async () => memoryRefStore());
repositoryLifeSuite("in memory", async () => memoryRefStore());
