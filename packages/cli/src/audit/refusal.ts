import { Problem } from '../problem.ts';
import { howToGetToken } from './given-token.ts';
import { plainText } from './plain-text.ts';

/** What of a refusal is of use here (RFC 9457; OAuth's errors have other names for the same). */
type Told = {
  readonly code?: unknown;
  readonly detail?: unknown;
  readonly role?: unknown;
  readonly instance?: unknown;
  readonly archives?: unknown;
};

const toldBy = (text: string): Told => {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
};

/** The files that an answer says it may be in. */
const filesOf = (archives: unknown): string =>
  Array.isArray(archives)
    ? archives.map((each: unknown) => plainText(String((each as { readonly file?: unknown } | null)?.file))).join(', ')
    : 'the files of audit/archives';

const fixOf = (status: number, { code, role, archives }: Told): string => {
  if (status === 401) return `the token is missing, wrong, expired or revoked: ${howToGetToken}`;
  if (code === 'role_required')
    return `give whom the token is for the role ${plainText(String(role))} on the platform system, or ask about a platform that they may read`;
  if (status === 403) return 'get the token with scope=audit; one for anything else does not open the audit trail';
  if (code === 'archived') return `ask ${filesOf(archives)}, from where it is kept: grantlog audit archived <file>`;
  if (code === 'not_signed_yet') return 'let a worker run for some seconds, and ask again';
  if (status === 404 && typeof code === 'string' && !/^(?:unknown_platform|not_found)$/.test(code))
    return 'check the id, and the moment where one was given with --at';
  if (status === 404) return 'check the platform: --url is its issuer, such as https://auth.example.com/along, and --platform its name';
  if (status === 405) return 'the server does not know this question: bring it to the version of this command';
  if (status === 429 || status === 503) return 'ask again in a moment';
  if (status >= 500) return 'look for the request in the log of the API';
  return 'ask as the answer says; --help shows what can be asked';
};

/** The answer of a server that refuses or fails, as a person can mend it. */
export const refusalOf = (asked: string, status: number, text: string): Problem => {
  const told = toldBy(text);
  const detail = typeof told.detail === 'string' ? `: ${plainText(told.detail).slice(0, 500)}` : '';
  const request = status >= 500 && typeof told.instance === 'string' ? ` (request ${plainText(told.instance)})` : '';
  return new Problem(`${asked} was answered with ${status}${detail}${request}`, fixOf(status, told));
};
