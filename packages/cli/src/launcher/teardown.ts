/** What has been started, to be taken down in the opposite order. */
export type Teardown = {
  /** Adds what undoes the step that has just succeeded. */
  add(step: () => Promise<void>): void;
  /** Runs every step, newest first, even where one fails; then throws the first failure. */
  run(): Promise<void>;
};

export const makeTeardown = (): Teardown => {
  const steps: (() => Promise<void>)[] = [];
  return {
    add: (step) => {
      steps.push(step);
    },
    run: async () => {
      const failures: unknown[] = [];
      for (const step of steps.splice(0).reverse()) await step().catch((error: unknown) => failures.push(error));
      if (failures.length > 0) throw failures[0];
    },
  };
};
