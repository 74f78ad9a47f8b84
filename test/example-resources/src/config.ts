/** The configuration of the process; its every setting is an environment variable. */
export type Config = {
  readonly host: string;
  /** 0 takes any free port; the ready line says which. */
  readonly port: number;
  /** The authorization server, exactly as it names itself. */
  readonly issuer: string;
  /** The resource as tokens name it, and under which the proxy publishes it: links begin with it. */
  readonly resource: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The account of the presenter whose contact the data has; null where nobody is. */
  readonly presenter: string | null;
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

const isUrl = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

/**
 * Reads the configuration from the environment.
 *
 * @throws ConfigError with all problems at once.
 */
export const readConfig = (env: Environment = process.env): Config => {
  const problems: string[] = [];
  const read = (name: keyof typeof fixes): string => {
    const value = env[name]?.trim() ?? '';
    if (value === '') problems.push(`${name} is not set. ${fixes[name]}.`);
    else if ((name === 'ISSUER' || name === 'RESOURCE') && !isUrl(value)) problems.push(`${name} is not a URL. ${fixes[name]}.`);
    return value;
  };
  const port = env['PORT']?.trim() || '4010';
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) problems.push('PORT is not a port. Set it to a number from 0 to 65535.');
  const config: Config = {
    host: env['HOST']?.trim() || '127.0.0.1',
    port: Number(port),
    issuer: read('ISSUER'),
    resource: read('RESOURCE'),
    clientId: read('CLIENT_ID'),
    clientSecret: read('CLIENT_SECRET'),
    presenter: env['PRESENTER']?.trim() || null,
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
};
