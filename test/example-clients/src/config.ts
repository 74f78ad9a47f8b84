import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Failure, systemErrorCode } from './failure.ts';

const commandNames = ['call', 'login', 'refresh', 'revoke', 'status'] as const;
export type CommandName = (typeof commandNames)[number];

/** Everything that this client must know; who registered it was told the first four. */
export type Config = {
  readonly issuer: string;
  readonly clientId: string;
  /** Null for a public client. */
  readonly clientSecret: string | null;
  readonly redirectUri: URL;
  /** The API's resource identifier (RFC 8707): tokens are asked for it and sent to nothing that is not below it. */
  readonly resource: string;
  /** The request to make. */
  readonly url: URL;
  readonly scope: string;
  readonly tokenFile: string;
  readonly browser: 'system' | 'none';
};

/** The file of this sample that reads the environment. */
export type Environment = Readonly<Record<string, string | undefined>>;
export const readEnvironment = (): Environment => ({ ...process.env });

export const usage = `example [call|login|refresh|revoke|status] [options]

  call      call the API with the kept token (the default); refresh or ask the person only where the API makes it necessary
  login     ask the person anew, in place of the tokens kept
  refresh   refresh now, to see it done; no integration needs to
  revoke    end the access at the server, then remove the tokens here
  status    what is kept here, without a token and without a request

  --issuer <url>         the platform's issuer                       EXAMPLE_ISSUER
  --client-id <id>       as registered                               EXAMPLE_CLIENT_ID
  --redirect-uri <uri>   as registered, http on loopback             EXAMPLE_REDIRECT_URI
  --port <n>             listen on another port than the URI's; 0 lets the system choose
  --resource <uri>       the API's resource identifier               EXAMPLE_RESOURCE
  --path <path>          what to call below it (events/)
  --scope <scopes>       separated by spaces                         EXAMPLE_SCOPE
  --tokens <file>        where the tokens are kept                   EXAMPLE_TOKENS
  --browser none         print the URL only

The client secret comes from EXAMPLE_CLIENT_SECRET alone. What is not given comes from .grantlog/demo.json, where start runs.
Exit codes: 0 done, 1 something to mend, 2 a wrong command line, 3 a person has to consent.`;

const options = {
  issuer: { type: 'string' },
  'client-id': { type: 'string' },
  'client-secret': { type: 'string' },
  'redirect-uri': { type: 'string' },
  port: { type: 'string' },
  resource: { type: 'string' },
  path: { type: 'string', default: 'events/' },
  scope: { type: 'string' },
  tokens: { type: 'string' },
  browser: { type: 'string', default: 'system' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const checkout = join(import.meta.dirname, '..', '..', '..');

type Known = {
  readonly issuer?: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly redirectUri?: string;
  readonly resource?: string | undefined;
};

/** What `start` wrote for clients of the platform arlo; nothing where it has not run. */
const readDemo = async (path: string): Promise<Known> => {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return {};
    throw error;
  }
  // Written by start; a file that is something else is named below, by what it lacks.
  const demo = JSON.parse(text) as {
    platforms?: {
      arlo?: { issuer: string; client: { client_id: string; client_secret: string; redirect_uri: string }; resource?: string };
    };
  };
  const arlo = demo.platforms?.arlo;
  if (arlo === undefined) return {};
  const { client_id: clientId, client_secret: clientSecret, redirect_uri: redirectUri } = arlo.client;
  return { issuer: arlo.issuer, clientId, clientSecret, redirectUri, resource: arlo.resource };
};

const loopback: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost']);

const wrong = (summary: string, fix: string): Failure => new Failure(summary, fix, 2);

const parseUrl = (name: string, text: string): URL => {
  if (!URL.canParse(text)) throw wrong(`${name} is not an absolute URL: ${text}`, `give it whole, as in https://api.example/demo`);
  const url = new URL(text);
  if (url.protocol === 'https:' || (url.protocol === 'http:' && loopback.has(url.hostname))) return url;
  throw wrong(`${name} must be https: tokens would cross the network in the clear`, 'use https; http is for loopback only');
};

const parseRedirectUri = (text: string, port: string | undefined): URL => {
  const uri = parseUrl('The redirect URI', text);
  if (uri.protocol !== 'http:')
    throw wrong('The redirect URI is not on this machine', 'register http://127.0.0.1/callback: this sample listens there itself');
  if (port === undefined) return uri;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw wrong(`--port ${port} is no port`, 'give a number up to 65535');
  uri.port = port;
  return uri;
};

const checkSecretIsNotAnArgument = (argv: readonly string[]): void => {
  if (argv.some((each) => each.startsWith('--client-secret')))
    throw wrong(
      'A secret on the command line is read by every process of this machine and kept by the shell',
      'put it into EXAMPLE_CLIENT_SECRET',
    );
};

const pageOf = (resource: URL, path: string): URL => {
  const base = `${resource.href.replace(/\/$/, '')}/`;
  const url = new URL(path, base);
  // The token was issued for this API; whoever else received it could use it there.
  if (!url.href.startsWith(base))
    throw wrong(`${url.href} is not below ${base}`, 'give --path relative to the resource, as in contacts/562/');
  return url;
};

/**
 * Reads command line and environment; flags come before variables, variables before the demo's file.
 *
 * @returns the usage where it was asked for.
 * @throws Failure that names what is missing or wrong.
 */
export const readConfig = async (
  argv: readonly string[],
  environment: Environment,
): Promise<{ readonly command: CommandName; readonly config: Config } | 'help'> => {
  checkSecretIsNotAnArgument(argv);
  const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
  if (values.help) return 'help';
  const [named = 'call', ...rest] = positionals;
  const command = commandNames.find((each) => each === named);
  if (command === undefined || rest.length > 0)
    throw wrong(`There is no command "${positionals.join(' ')}"`, `use one of ${commandNames.join(', ')}`);
  if (values.browser !== 'system' && values.browser !== 'none') throw wrong(`--browser ${values.browser} is unknown`, 'use system or none');

  const dataDirectory = resolve(environment['DATA_DIR'] ?? join(checkout, '.grantlog'));
  const given = values.issuer ?? environment['EXAMPLE_ISSUER'];
  const demo = await readDemo(join(dataDirectory, 'demo.json'));
  // The demo's client is one of the demo's server alone, and its secret that of this client.
  const known = given === undefined || given === demo.issuer ? demo : {};
  const need = (value: string | undefined, name: string): string => {
    if (value !== undefined && value !== '') return value;
    throw wrong(`${name} is not known, and no server was started here`, 'run npx -y pnpm@12 start, or see example --help for the settings');
  };
  const issuer = need(given ?? known.issuer, 'The issuer');
  parseUrl('The issuer', issuer);
  const resource = values.resource ?? environment['EXAMPLE_RESOURCE'] ?? known.resource ?? `${issuer}/api/2012-02-01/auth/resources`;
  const clientId = need(values['client-id'] ?? environment['EXAMPLE_CLIENT_ID'] ?? known.clientId, 'The client id');
  const knownSecret = clientId === known.clientId ? known.clientSecret : undefined;
  return {
    command,
    config: {
      issuer,
      clientId,
      clientSecret: environment['EXAMPLE_CLIENT_SECRET'] ?? knownSecret ?? null,
      redirectUri: parseRedirectUri(
        need(values['redirect-uri'] ?? environment['EXAMPLE_REDIRECT_URI'] ?? known.redirectUri, 'The redirect URI'),
        values.port,
      ),
      resource,
      url: pageOf(parseUrl('The resource', resource), values.path),
      scope: values.scope ?? environment['EXAMPLE_SCOPE'] ?? 'openid profile offline_access read',
      tokenFile: resolve(values.tokens ?? environment['EXAMPLE_TOKENS'] ?? join(dataDirectory, 'example-client', 'tokens.json')),
      browser: values.browser,
    },
  };
};

/** The folder that holds the tokens and nothing else. */
export const folderOf = (config: Config): string => dirname(config.tokenFile);
