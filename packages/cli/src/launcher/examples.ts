import { existsSync } from 'node:fs';
import type { Environment } from '../environment.ts';
import type { Demo } from '../seed/contract.ts';
import { examplesEnvironment } from '../seed/examples-environment.ts';
import type { LauncherParts } from './parts.ts';
import type { ServicePlan } from './service.ts';
import type { LauncherSettings } from './settings.ts';

/** Whether the example resources run: with the demonstration that they belong to, where their source is. */
export const runsExamples = (parts: Pick<LauncherParts, 'seed' | 'examplesScript'>): boolean =>
  parts.seed !== null && existsSync(parts.examplesScript);

/** Loopback, whatever HOST is: they are reached through the API. */
export const examplesAt = (settings: Pick<LauncherSettings, 'examplesPort'>): { readonly host: string; readonly port: number } => ({
  host: '127.0.0.1',
  port: settings.examplesPort,
});

/** What `{examples}` in a platform file stands for, whether they run or not. */
export const examplesUrl = (settings: Pick<LauncherSettings, 'examplesPort'>): string => `http://127.0.0.1:${settings.examplesPort}`;

/** What they may know of our environment. Not the database and not our secrets: a resource server has neither. */
const inherited = ['PATH', 'NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS', 'LOG_LEVEL'];

/** The example resources, as the resource server of the seeded platforms that have some; none where they do not run. */
export const planExamples = (task: {
  readonly settings: LauncherSettings;
  readonly parts: LauncherParts;
  readonly environment: Environment;
  readonly demo: Demo | null;
}): readonly ServicePlan[] => {
  const { settings, parts, environment } = task;
  const own = examplesEnvironment(task.demo);
  if (own === null || !runsExamples(parts)) return [];
  const { host, port } = examplesAt(settings);
  return [
    {
      name: 'examples',
      script: parts.examplesScript,
      readyUrl: `${examplesUrl(settings)}/readyz`,
      environment: {
        ...Object.fromEntries(Object.entries(environment).filter(([name]) => inherited.includes(name))),
        HOST: host,
        PORT: String(port),
        ...own,
      },
    },
  ];
};
