import type { ConfigProblem, Environment, Parsed, Setting, Spec, Values } from './config.ts';
import { ConfigError, collectConfig } from './config.ts';
import { type LogLevel, logLevels } from './logger.ts';
import {
  addressList,
  authorities,
  destinationList,
  mailbox,
  oneOf,
  optional,
  port,
  secondsList,
  secrets,
  text,
  url,
  withDefault,
} from './settings.ts';

export type Service = 'api' | 'worker';

/** The configuration of one service process; every setting of it is in the README's table. */
export type ServiceConfig = {
  readonly databaseUrl: string;
  /** A connection past any transaction pooler, for LISTEN; without it consumers poll. */
  readonly databaseDirectUrl: string | undefined;
  /** Redis or Valkey for the queue; without it the queue lives in Postgres. */
  readonly redisUrl: string | undefined;
  /** The origin under which the world reaches the API, without a trailing slash. */
  readonly publicUrl: string;
  readonly port: number;
  readonly opsPort: number;
  /** The address to listen on: loopback in development, all elsewhere, unless `HOST` says otherwise. */
  readonly host: string;
  /** Peers whose forwarded headers are believed; none by default. */
  readonly trustProxy: readonly string[];
  /** Destinations (`host:port`) that URLs of strangers may lead to although they are no public addresses; none by default. */
  readonly egressAllow: readonly string[];
  /** Certificate authorities in PEM that vouch for those destinations, besides the runtime's own. */
  readonly egressCa: string | undefined;
  /** Seconds from each failed attempt at a webhook to the next; one attempt more than there are. */
  readonly webhookRetrySeconds: readonly number[];
  /** The mail server that takes mails in; without it they are kept in development, and wait elsewhere. */
  readonly smtpUrl: string | undefined;
  /** `From` of every mail: an address, or `Name <address>`. */
  readonly mailFrom: string;
  readonly dataDir: string;
  /** Newest first; the first seals, all open. */
  readonly secrets: readonly [string, ...string[]];
  readonly logLevel: LogLevel;
  /** Whether the public URL is loopback: only then are http, loopback webhooks and talkative errors allowed. */
  readonly isDevelopment: boolean;
};

/** Whether a URL's host name is this machine, as the URL parser spells it. */
export const isLoopbackHost = (hostname: string): boolean =>
  hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);

const wrong = (why: string): Parsed<never> => ({ kind: 'wrong', wrong: why });

const publicUrl: Setting<string> = {
  name: 'PUBLIC_URL',
  fix: 'Set it to the origin that clients use, such as https://auth.example.com or http://localhost:4000',
  absent: { kind: 'required' },
  parse: (given) => {
    if (!URL.canParse(given)) return wrong('is not a URL');
    const parsed = new URL(given);
    if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') return wrong('must begin with https:// or http://');
    if (parsed.protocol === 'http:' && !isLoopbackHost(parsed.hostname)) return wrong('must use https unless its host is loopback');
    if (parsed.username !== '' || parsed.password !== '') return wrong('must not contain a user name or password');
    if (parsed.pathname !== '/' || /[?#]/.test(given)) return wrong('must be an origin, without path, query or fragment');
    return { kind: 'value', value: parsed.origin };
  },
};

/** 5 s, 5 and 30 min, 2, 5, 10, 14, 20 and 24 h: ten attempts over three days, the example of Standard Webhooks. */
const defaultRetrySeconds = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400] as const;

const specOf = (service: Service) => ({
  databaseUrl: url('DATABASE_URL', {
    protocols: ['postgres:', 'postgresql:'],
    example: 'postgres://user:password@localhost:5432/grantlog',
  }),
  databaseDirectUrl: optional(
    url('DATABASE_DIRECT_URL', { protocols: ['postgres:', 'postgresql:'], example: 'postgres://user:password@localhost:5432/grantlog' }),
  ),
  redisUrl: optional(url('REDIS_URL', { protocols: ['redis:', 'rediss:'], example: 'redis://localhost:6379' })),
  publicUrl,
  port: withDefault(port('PORT'), 4_000),
  opsPort: withDefault(port('OPS_PORT'), service === 'api' ? 4_001 : 4_002),
  host: optional(text('HOST', 'Set it to the address to listen on, such as 127.0.0.1')),
  trustProxy: withDefault(addressList('TRUST_PROXY'), []),
  egressAllow: withDefault(destinationList('EGRESS_ALLOW'), []),
  egressCa: optional(authorities('EGRESS_CA')),
  webhookRetrySeconds: withDefault(secondsList('WEBHOOK_RETRY_SECONDS'), defaultRetrySeconds),
  smtpUrl: optional(url('SMTP_URL', { protocols: ['smtp:', 'smtps:'], example: 'smtp://user:password@localhost:587' })),
  mailFrom: optional(mailbox('MAIL_FROM')),
  dataDir: withDefault(text('DATA_DIR', 'Set it to a folder that this user may write to'), '.grantlog'),
  secrets: secrets('GRANTLOG_SECRET'),
  logLevel: withDefault(oneOf('LOG_LEVEL', logLevels), 'info'),
});

type ServiceSpec = ReturnType<typeof specOf>;

const checkTogether = (service: Service, values: Partial<Values<ServiceSpec>>): readonly ConfigProblem[] => {
  if (service !== 'api' || values.port === undefined || values.port === 0 || values.port !== values.opsPort) return [];
  return [{ setting: 'OPS_PORT', wrong: `is ${values.port}, the same as PORT`, fix: 'Give the operations endpoints a port of their own' }];
};

/** No settings besides those that both services have. */
const nothingMore = {} as const satisfies Spec;

/**
 * Reads the configuration of a service from its environment.
 *
 * @param more settings that this service alone has.
 * @throws ConfigError with all problems at once.
 */
export const readServiceConfig = <const More extends Spec = typeof nothingMore>(
  env: Environment,
  service: Service,
  more?: More,
): ServiceConfig & Values<More> => {
  const { values, problems } = collectConfig(env, specOf(service));
  const own = collectConfig(env, more ?? (nothingMore as unknown as More));
  const all = [...problems, ...own.problems, ...checkTogether(service, values)];
  if (all.length > 0) throw new ConfigError(all);
  // Without problems no key is absent.
  const read = { ...(values as Values<ServiceSpec>), ...(own.values as Values<More>) };
  const { hostname } = new URL(read.publicUrl);
  const isDevelopment = isLoopbackHost(hostname);
  return {
    ...read,
    isDevelopment,
    host: read.host ?? (isDevelopment ? '127.0.0.1' : '0.0.0.0'),
    mailFrom: read.mailFrom ?? `Grantlog <no-reply@${hostname}>`,
  };
};

/** A connection string without password and parameters, where drivers accept passwords too. */
const withoutPassword = (given: string | undefined): string => {
  if (given === undefined) return 'not set';
  const parsed = new URL(given);
  if (parsed.password !== '') parsed.password = 'redacted';
  parsed.search = '';
  return parsed.href;
};

/** The effective settings by their names, fit for a log: no password and no secret. */
export const describeConfig = (config: ServiceConfig): Readonly<Record<string, string>> => ({
  DATABASE_URL: withoutPassword(config.databaseUrl),
  DATABASE_DIRECT_URL: withoutPassword(config.databaseDirectUrl),
  REDIS_URL: withoutPassword(config.redisUrl),
  PUBLIC_URL: config.publicUrl,
  PORT: String(config.port),
  OPS_PORT: String(config.opsPort),
  HOST: config.host,
  TRUST_PROXY: config.trustProxy.length === 0 ? 'none' : config.trustProxy.join(', '),
  EGRESS_ALLOW: config.egressAllow.length === 0 ? 'none' : config.egressAllow.join(', '),
  EGRESS_CA: config.egressCa === undefined ? 'not set' : 'set',
  WEBHOOK_RETRY_SECONDS: config.webhookRetrySeconds.join(', '),
  SMTP_URL: withoutPassword(config.smtpUrl),
  MAIL_FROM: config.mailFrom,
  DATA_DIR: config.dataDir,
  GRANTLOG_SECRET: config.secrets.length === 1 ? 'set' : `set (${config.secrets.length}, newest first)`,
  LOG_LEVEL: config.logLevel,
});
