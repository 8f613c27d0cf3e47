import { defineConfig } from 'vitest/config'

/**
 * One project per kind of test. `unit` and `fuzz` need nothing but Node; the others use a real container engine and run one file
 * at a time, because they measure limits of the whole machine (memory, ports, mounts).
 */
const engine = { fileParallelism: false, testTimeout: 240_000, hookTimeout: 600_000 }

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 60_000 } },
      { test: { name: 'fuzz', include: ['test/fuzz/**/*.test.ts'], testTimeout: 240_000 } },
      { test: { name: 'contract', include: ['test/contract/**/*.test.ts'], ...engine } },
      { test: { name: 'docker', include: ['test/docker/**/*.test.ts'], ...engine } },
      { test: { name: 'conformance', include: ['test/conformance/**/*.test.ts'], ...engine } },
    ],
  },
})
