import { LogUnavailable } from '@grantlog/eventsourcing';

/** Runs a statement of the counters. Whatever fails there, the caller may only say: not now (503). @throws LogUnavailable */
export const counted = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  try {
    return await work();
  } catch (error) {
    throw new LogUnavailable(`the counters cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
};
