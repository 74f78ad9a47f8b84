/** A resource server, as the authorization server knows it. */
export type ServerConfig = {
  /** The authorization server, exactly as it names itself. */
  readonly issuer: string;
  /** The resource as tokens name it, and under which the proxy publishes it: links begin with it. */
  readonly resource: string;
  readonly clientId: string;
  readonly clientSecret: string;
};

/** The configuration of the process; its every setting is an environment variable. */
export type Config = {
  readonly host: string;
  /** 0 takes any free port; the ready line says which. */
  readonly port: number;
  /** Null where this process has no such resource; of the two there is at least one. `presenter` is the account of the presenter whose contact the data has. */
  readonly arlo: (ServerConfig & { readonly presenter: string | null }) | null;
  /** `preview` shows the tool that writes, whose scope the documentation reserves for the future. */
  readonly along: (ServerConfig & { readonly preview: boolean }) | null;
};

type Environment = Readonly<Record<string, string | undefined>>;

/** The environment does not make a configuration. The message lists every problem with its fix, and no value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(problems: readonly string[]) {
    super(['The configuration has problems:', ...problems.map((problem) => `  ${problem}`)].join('\n'));
  }
}

const fixes = {
  ISSUER: 'Set it to the issuer of the platform, such as http://localhost:4000/arlo',
  RESOURCE: 'Set it to the resource as tokens name it, such as http://localhost:4000/arlo/api/2012-02-01/auth/resources',
  CLIENT_ID: 'Set it to the id of a confidential client that serves the resource',
  CLIENT_SECRET: "Set it to that client's secret",
} as const;

const names = Object.keys(fixes) as readonly (keyof typeof fixes)[];

const isUrl = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

const settingOf = (env: Environment, name: string): string => env[name]?.trim() ?? '';

/** One resource server by the settings of a prefix; problems where some are missing or wrong. */
const readServer = (env: Environment, prefix: string, problems: string[]): ServerConfig => {
  const read = (name: keyof typeof fixes): string => {
    const value = settingOf(env, prefix + name);
    if (value === '') problems.push(`${prefix}${name} is not set. ${fixes[name]}.`);
    else if ((name === 'ISSUER' || name === 'RESOURCE') && !isUrl(value)) problems.push(`${prefix}${name} is not a URL. ${fixes[name]}.`);
    return value;
  };
  return { issuer: read('ISSUER'), resource: read('RESOURCE'), clientId: read('CLIENT_ID'), clientSecret: read('CLIENT_SECRET') };
};

const isMeant = (env: Environment, prefix: string): boolean => names.some((name) => settingOf(env, prefix + name) !== '');

/**
 * Reads the configuration from the environment: `ISSUER` and so on for Arlo's resource, `ALONG_ISSUER` and so on for Along's.
 *
 * @throws ConfigError with all problems at once.
 */
export const readConfig = (env: Environment = process.env): Config => {
  const problems: string[] = [];
  const port = settingOf(env, 'PORT') || '4010';
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) problems.push('PORT is not a port. Set it to a number from 0 to 65535.');
  const hasAlong = isMeant(env, 'ALONG_');
  const config: Config = {
    host: settingOf(env, 'HOST') || '127.0.0.1',
    port: Number(port),
    // Whoever sets nothing is told of the one that has always been here.
    arlo: isMeant(env, '') || !hasAlong ? { ...readServer(env, '', problems), presenter: settingOf(env, 'PRESENTER') || null } : null,
    along: hasAlong ? { ...readServer(env, 'ALONG_', problems), preview: settingOf(env, 'ALONG_PREVIEW') === 'on' } : null,
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
};
