import type { Environment } from '../environment.ts';
import type { LauncherParts } from './parts.ts';
import type { ServicePlan } from './service.ts';
import type { LauncherSettings } from './settings.ts';

/**
 * The two services with their whole environment: what we were given, and over it what this start has settled.
 *
 * A variable that is settled here replaces its `_FILE` form, which would otherwise be set beside it.
 */
export const planServices = (task: {
  readonly settings: LauncherSettings;
  readonly parts: LauncherParts;
  readonly environment: Environment;
  readonly databaseUrl: string;
  readonly secret: string;
  readonly dataDirectory: string;
}): readonly ServicePlan[] => {
  const { settings, parts } = task;
  const settled = {
    DATABASE_URL: task.databaseUrl,
    GRANTLOG_SECRET: task.secret,
    PUBLIC_URL: settings.publicUrl,
    HOST: settings.host,
    PORT: String(settings.port),
    DATA_DIR: task.dataDirectory,
  };
  const environmentWith = (opsPort: number): Environment => {
    const own = { ...settled, OPS_PORT: String(opsPort) };
    const given = Object.entries(task.environment).filter(([name]) => !(name.replace(/_FILE$/, '') in own));
    return { ...Object.fromEntries(given), ...own };
  };
  const readyUrl = (opsPort: number): string => `http://${reachable(settings.host)}:${opsPort}/readyz`;
  return [
    { name: 'api', script: parts.apiScript, environment: environmentWith(settings.apiOpsPort), readyUrl: readyUrl(settings.apiOpsPort) },
    {
      name: 'worker',
      script: parts.workerScript,
      environment: environmentWith(settings.workerOpsPort),
      readyUrl: readyUrl(settings.workerOpsPort),
    },
  ];
};

/** A server that listens everywhere is asked on loopback. */
const reachable = (host: string): string => {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
};
