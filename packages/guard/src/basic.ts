import { isIP } from 'node:net';
import { askAsClient, defaultRetryAfter } from './ask-as-client.ts';
import { isCount, isText, pageOf, textsOf } from './members.ts';
import { noticeHeaders } from './notice-headers.ts';
import type { Asking } from './options.ts';
import type { GuardOutcome, RefusalBody } from './outcome.ts';
import type { OnProblem } from './problem.ts';
import { type Place, refuseAccount, refuseForNow, unauthenticated, unavailable } from './refusals.ts';

type Members = Readonly<Record<string, unknown>>;

const maxRetryAfter = 86_400;

const refusalOf = (place: Place, answer: Members): GuardOutcome => {
  const { reason, description, retry_after } = answer;
  const page = pageOf(answer['documentation']);
  const body: RefusalBody = {
    error: isText(reason) ? reason : 'access_denied',
    error_description: isText(description) ? description.slice(0, 1_000) : 'These credentials are not accepted here',
    ...(page === null ? {} : { documentation: page }),
  };
  const wait = isCount(retry_after) ? Math.min(Math.max(retry_after, 1), maxRetryAfter) : null;
  if (reason === 'invalid_credentials') return unauthenticated(place, body);
  if (reason === 'too_many_attempts') return refuseForNow(body, wait ?? defaultRetryAfter);
  // Another password would not help, so a browser must not ask for one.
  return refuseAccount(body, wait);
};

const withoutAddress =
  'clientAddress of a request with HTTP Basic is no IP address: name that of the caller. Guesses at passwords are throttled by it';

/**
 * Has the authorization server judge a user name and password. Scopes play no part: Basic gives what the account's roles
 * give, and the resource has to look at them. Without the caller's address nothing is judged: all callers would count as
 * one, and the wrong guesses of a stranger would keep everybody out.
 *
 * @see RFC 7617
 */
export const checkBasic = async (
  check: { readonly settings: Asking; readonly endpoint: string; readonly report: OnProblem; readonly place: Place },
  shown: { readonly username: string; readonly password: string; readonly clientAddress: string | undefined },
): Promise<GuardOutcome> => {
  const { settings, endpoint, report, place } = check;
  const { username, password, clientAddress = '' } = shown;
  if (isIP(clientAddress) === 0) {
    report({ kind: 'no_client_address', message: withoutAddress });
    return unavailable(defaultRetryAfter);
  }
  const form = new URLSearchParams({ username, password, resource: settings.resource, client_address: clientAddress });
  const answer = await askAsClient(settings, report, endpoint, form);
  if (answer.kind === 'unavailable') return unavailable(answer.retryAfter);

  const { active, iss, aud, sub, account_kind, roles, notice } = answer.body;
  if (active === false) return refusalOf(place, answer.body);
  const isMeant = active === true && iss === settings.issuer && aud === settings.resource && isText(sub);
  if (!isMeant || (account_kind !== 'person' && account_kind !== 'integration')) {
    report({ kind: 'unusable_answer', message: `${endpoint} answered for another issuer or resource, or left out who it is about` });
    return unavailable(defaultRetryAfter);
  }
  return {
    kind: 'allowed',
    scheme: 'Basic',
    subject: sub,
    scopes: [],
    roles: textsOf(roles),
    clientId: null,
    accountKind: account_kind,
    headers: noticeHeaders(notice),
  };
};
