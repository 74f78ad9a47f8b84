import { parsePlatformId } from '@grantlog/domain';
import { isLoopbackHost } from '@grantlog/runtime';
import { type CommandIo, UsageError } from '../command.ts';
import { operatorToken } from '../demo/operator.ts';
import { findRunning } from '../launcher/running.ts';
import { parseLauncherSettings } from '../launcher/settings.ts';
import { statePaths } from '../launcher/state-directory.ts';
import { Problem } from '../problem.ts';
import { readDemo } from '../seed/demo-file.ts';
import { type AuditServer, auditServer } from './audit-server.ts';
import { givenToken, howToGetToken } from './given-token.ts';

/** How a person says which audit trail is asked, and as whom. */
export const serverOptions = {
  url: { type: 'string' },
  platform: { type: 'string' },
  'token-file': { type: 'string' },
} as const;

/** The same in words, for each subcommand's help. */
export const serverUsage = `Which audit trail: --platform <name>, on the instance that start runs here, asked as its operator; or --url <issuer> of any, such as
https://auth.example.com/along, with an auditor's token: --token-file <file>, - for standard input, or GRANTLOG_AUDIT_TOKEN.`;

type Choice = { readonly [Name in keyof typeof serverOptions]?: string | undefined };

const issuerOf = (text: string): string => {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || /[?#]/.test(text) || url.username !== '' || url.password !== '')
    throw new UsageError('--url is no URL of an issuer, which looks like https://auth.example.com/along');
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname))
    throw new UsageError('--url begins with http, and everybody on the way could read the token: give it with https');
  if (/\/audit(?:\/|$)/.test(url.pathname)) throw new UsageError('--url is the issuer alone, without /audit and what follows');
  return url.href.replace(/\/+$/, '');
};

/** Where the instance here tells of a platform, and the credentials that start has kept of its operator. */
const instanceHere = async (name: string, io: CommandIo) => {
  const platform = parsePlatformId(name);
  if (platform === null) throw new UsageError('--platform is not the name of a platform, such as along');
  const paths = statePaths(parseLauncherSettings(io.environment).dataDirectory);
  const running = await findRunning(paths);
  if (running === null)
    throw new Problem(
      'No instance runs here',
      `run start in another terminal; of a server elsewhere give --url <issuer>, and ${howToGetToken}`,
    );
  const { url } = running;
  const operatorsToken = async (): Promise<string> => {
    const demo = await readDemo(paths.demo);
    if (demo === null) throw new Problem('start has kept no credentials of an operator here', howToGetToken);
    return operatorToken({ ...demo, url }, 'audit').catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new Problem(`The operator of the instance here was given no token (${why})`, `start it again, or ${howToGetToken}`);
    });
  };
  return { issuer: `${url}/${platform}`, operatorsToken };
};

type Place = { readonly kind: 'url'; readonly issuer: string } | { readonly kind: 'here'; readonly platform: string };

const placeOf = ({ url, platform }: Choice): Place => {
  if (url !== undefined && platform !== undefined) throw new UsageError('--url names the platform already: leave --platform out');
  if (url !== undefined) return { kind: 'url', issuer: issuerOf(url) };
  if (platform !== undefined) return { kind: 'here', platform };
  throw new UsageError('Say whose audit trail: --platform <name> on the instance here, or --url <issuer> of any');
};

/**
 * The audit trail that a command line names.
 *
 * @throws UsageError where it names none or two
 * @throws Problem where there is no instance or no token
 */
export const findServer = async (choice: Choice, io: CommandIo): Promise<AuditServer> => {
  const place = placeOf(choice);
  const token = await givenToken(choice['token-file'], io.environment);
  if (place.kind === 'here') {
    const { issuer, operatorsToken } = await instanceHere(place.platform, io);
    return auditServer({ issuer, token: token ?? (await operatorsToken()) });
  }
  if (token === null) throw new Problem(`${place.issuer} tells nothing without a token`, howToGetToken);
  return auditServer({ issuer: place.issuer, token });
};

/** The same for what is open to everybody, which takes no token. */
export const findOpenServer = async (choice: Omit<Choice, 'token-file'>, io: CommandIo): Promise<AuditServer> => {
  const place = placeOf(choice);
  const { issuer } = place.kind === 'here' ? await instanceHere(place.platform, io) : place;
  return auditServer({ issuer, token: null });
};
