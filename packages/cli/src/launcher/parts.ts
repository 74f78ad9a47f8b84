import { join } from 'node:path';
import { migrate } from '@grantlog/postgres';
import type { Seed } from '../seed/contract.ts';
import { seed } from '../seed/index.ts';
import { checkout } from './state-directory.ts';

/** What the launcher puts together; tests put in services of their own. */
export type LauncherParts = {
  readonly migrate: (task: { readonly connectionString: string; readonly onProgress?: (message: string) => void }) => Promise<unknown>;
  /** `null`: nothing is seeded. */
  readonly seed: Seed | null;
  readonly apiScript: string;
  readonly workerScript: string;
  /** The example resources behind the demonstration; where the file is not there, as in an installed image, they do not run. */
  readonly examplesScript: string;
};

export const productionParts: LauncherParts = {
  migrate,
  seed,
  apiScript: join(checkout, 'services', 'api', 'src', 'main.ts'),
  workerScript: join(checkout, 'services', 'worker', 'src', 'main.ts'),
  examplesScript: join(checkout, 'test', 'example-resources', 'src', 'main.ts'),
};
