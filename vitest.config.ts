import { defineConfig } from 'vitest/config';

const limits = { testTimeout: 30_000, hookTimeout: 60_000 };

/** `unit` needs nothing; `postgres` a cluster and a Redis of its own; `system` also starts whole services, one suite at a time. */
export default defineConfig({
  test: {
    ...limits,
    reporters: ['default'],
    projects: [
      {
        test: {
          ...limits,
          name: 'unit',
          include: [
            'packages/{eventsourcing,domain,protocol,crypto,transparency,egress,runtime,guard}/test/**/*.test.ts',
            'test/architecture/**/*.test.ts',
          ],
        },
      },
      {
        test: {
          ...limits,
          name: 'postgres',
          include: [
            'packages/{postgres,read-models,provisioning}/test/**/*.test.ts',
            'services/*/test/**/*.test.ts',
            'test/recovery/{log,as-of,archive}/**/*.test.ts',
            // Of the two long runs this one is the shorter.
            'test/flows/a*.test.ts',
          ],
          globalSetup: ['test/support/servers.ts'],
          testTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          ...limits,
          name: 'system',
          include: ['packages/cli/test/**/*.test.ts', 'test/{attacks,recovery,reference,conformance,flows}/**/*.test.ts'],
          exclude: ['test/recovery/{log,as-of,archive}/**', 'test/flows/a*.test.ts'],
          globalSetup: ['test/support/servers.ts'],
          testTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
