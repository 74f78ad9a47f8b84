import { ConfigError, optional, readConfig, text } from '@grantlog/runtime';
import type { Environment } from '../environment.ts';
import { Problem } from '../problem.ts';
import { readGiven } from './read-given.ts';

/** What an access token may consist of (RFC 6750 §2.1); anything else would fail in the header, with the token in the error. */
const b68token = /^[\w.~+/-]+=*$/;

/** Where a token of an auditor comes from. */
export const howToGetToken =
  'give the access token of an auditor by --token-file <file> (- is standard input) or in GRANTLOG_AUDIT_TOKEN. A client of the platform' +
  ' system with the role auditor, or auditor:<platform>, gets one by client_credentials with scope=audit at /system/oauth/token';

const fromEnvironment = (environment: Environment): string | undefined => {
  try {
    return readConfig(environment, { token: optional(text('GRANTLOG_AUDIT_TOKEN', 'Set it to an access token')) }).token;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new Problem(error.message, howToGetToken, { cause: error });
  }
};

/**
 * The token that a person gives: of the file that `--token-file` names, else of the environment. Null where there is none.
 *
 * @throws Problem for what is no token, without repeating it
 */
export const givenToken = async (path: string | undefined, environment: Environment): Promise<string | null> => {
  const token = path === undefined ? fromEnvironment(environment) : await readGiven(path);
  if (token === undefined) return null;
  if (!b68token.test(token)) throw new Problem(`What ${path ?? 'GRANTLOG_AUDIT_TOKEN'} holds is no access token`, howToGetToken);
  return token;
};
