import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** Much of what these tests do is to wait: vitest's own default leaves one of two processors idle. */
const maxWorkers = Math.max(2, availableParallelism());

/** One project a kind of test: `npm run ok` runs "unit", `npm test` all but "full". */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          testTimeout: 30_000,
          maxWorkers,
        },
      },
      {
        test: {
          name: "tiltfile",
          include: ["test/tiltfile/**/*.test.ts"],
          testTimeout: 60_000,
          maxWorkers,
        },
      },
      {
        test: {
          name: "action",
          include: ["test/action/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "rig",
          include: ["test/rig/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 1_800_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "cluster",
          include: ["test/cluster/**/*.test.ts"],
          globalSetup: ["test/cluster/warm-setup.ts", "test/cluster/shared-setup.ts"],
          testTimeout: 600_000,
          hookTimeout: 1_800_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "full",
          include: ["test/full/**/*.test.ts"],
          testTimeout: 7_200_000,
          hookTimeout: 1_800_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
