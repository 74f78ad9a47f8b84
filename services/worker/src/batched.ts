type Waiting<Item, Answer> = {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Makes one call of what is asked for while another is under way, so that many small questions cost few round trips.
 * A question never joins a call that has begun; a call that fails fails all its questions.
 *
 * @param options.limit most questions in one call. @param options.parallel calls under way at once; default 1.
 */
export const batched = <Item, Answer>(options: {
  readonly call: (items: readonly Item[]) => Promise<readonly Answer[]>;
  readonly limit: number;
  readonly parallel?: number;
}): ((item: Item) => Promise<Answer>) => {
  let waiting: Waiting<Item, Answer>[] = [];
  let underWay = 0;

  const send = async (asked: readonly Waiting<Item, Answer>[]): Promise<void> => {
    try {
      const answers = await options.call(asked.map(({ item }) => item));
      // A call answers every question, in their order.
      for (const [index, { resolve }] of asked.entries()) resolve(answers[index] as Answer);
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  };
  const pump = async (): Promise<void> => {
    if (underWay >= (options.parallel ?? 1)) return;
    underWay += 1;
    while (waiting.length > 0) {
      const asked = waiting.slice(0, options.limit);
      waiting = waiting.slice(options.limit);
      await send(asked);
    }
    underWay -= 1;
  };
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      // After the current turn of the loop, so that what is asked together travels together.
      if (waiting.length === 1) setImmediate(() => void pump());
    });
};
