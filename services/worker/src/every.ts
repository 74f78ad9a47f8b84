/** Runs work again and again, `pauseMs` (±10 %) after it last ended, never twice at once, until stopped. An error ends one run only. */
export const every = (
  pauseMs: number,
  work: () => Promise<unknown>,
  onError: (error: unknown) => void,
): { readonly stop: () => Promise<void> } => {
  let stopping = false;
  let rouse: () => void = () => {};
  const loop = async (): Promise<void> => {
    while (!stopping) {
      await work().catch(onError);
      if (stopping) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pauseMs * (0.9 + Math.random() / 5));
        rouse = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
  const looping = loop();
  return {
    stop: async () => {
      stopping = true;
      rouse();
      await looping;
    },
  };
};
