import 'vitest';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A superuser's URL of the test cluster; every suite makes its own database beside it. */
    databaseUrl: string;
    /** A Redis of the test run; empty where the machine has none, and then what needs it is skipped by name. */
    redisUrl: string;
  }
}
