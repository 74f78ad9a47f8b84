/** Tries again, a little later each time, until it works or `forMs` milliseconds have passed; then throws the last error. */
export const insist = async <Result>(work: () => Promise<Result>, options: { readonly forMs: number }): Promise<Result> => {
  const deadline = performance.now() + options.forMs;
  for (let pause = 50; ; pause = Math.min(pause * 2, 1_000)) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() + pause > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
};
