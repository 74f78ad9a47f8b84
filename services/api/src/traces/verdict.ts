import type { ConnectionStepName } from '@grantlog/postgres';
import type { ConnectionAttempt } from './attempt.ts';

/** How far an attempt came, and what to do where it stopped. */
export type Verdict =
  | { readonly status: 'connected' }
  /** Somebody may still do the next thing: the person, or the client. */
  | { readonly status: 'waiting'; readonly step: ConnectionStepName; readonly problem: string }
  | { readonly status: 'failed'; readonly step: ConnectionStepName; readonly problem: string; readonly fix: string };

/** A client that has its code redeems it within seconds. */
const redeemedWithin = 60_000;
/** And uses its token within minutes, for it has asked for one because it needs it. */
const usedWithin = 5 * 60_000;

const failed = (step: ConnectionStepName, problem: string, fix: string): Verdict => ({ status: 'failed', step, problem, fix });

/** What to do about a refusal, by the step and the code that the client got; where nothing particular is known, what holds for the step. */
const fixes: Readonly<Record<string, string>> = {
  'discovery *': 'Compare the URL that the client asks for with the issuer, byte for byte: the server log has it under the request id.',
  'registration *': 'Correct what the words name. The client sends this body by itself; if it cannot be changed, register it by hand.',
  'registration slow_down': 'Too many registrations from one network. Wait, or give the client a client_id of its own.',
  'push *': 'Correct what the words name: it is what the authorization request would have been refused for.',
  'push invalid_client': 'The client did not prove who it is. Check its secret or key, and that the platform knows it.',
  'authorize *': 'Correct what the words name in the authorization request.',
  'authorize invalid_request':
    'The person saw a page that says so. Compare client_id and redirect_uri with what is registered, character by character.',
  'authorize unauthorized_client': 'An operator has to approve or enable the client first.',
  'authorize invalid_target':
    'The client asks for a resource that the platform does not have. Compare it with protected_resources in the metadata.',
  'authorize invalid_scope':
    'The client asks for scopes that it cannot have. Clients take them from the challenge and the metadata of the resource: correct those.',
  'consent access_denied': 'The person said no. They can begin again in the app.',
  'consent *': 'The person has to begin again in the app.',
  'token invalid_client':
    'The client is not known, or did not prove who it is. A client that registered itself has to register again: most do so by themselves on this answer; otherwise remove the connection in the app and add it again.',
  'token invalid_grant':
    'Correct what the words name. Where they speak of the verifier or of redirect_uri, the client has mixed up two attempts.',
  'token invalid_target':
    'The client asks for another resource at the token endpoint than it was allowed. It has to send the same one twice.',
  'token invalid_dpop_proof':
    'The proof does not fit the request. Compare the clocks, and the URL that the client signs with the token endpoint.',
  'token unsupported_grant_type': 'The client uses a grant type that the platform does not have.',
  'token *': 'Correct what the words name in the token request.',
};

const fixOf = (step: ConnectionStepName, error: string): string => fixes[`${step} ${error}`] ?? fixes[`${step} *`] ?? 'See the words.';

const neverRedeemed =
  'The code was handed to the client and never came back. Its own server has to reach the token endpoint: look for a firewall, a bot rule or a proxy that keeps it away (discovery and token requests come from other addresses and programs than the browser), for a metadata document that it could not read to the end, and for an error that the app shows. The person may also have closed the app.';
const neverUsed =
  'The client has its token, and no resource has asked about one. Look at the resource server: bot rules that block the program which calls it, a URL that differs from the resource in the token, or a server that checks tokens without asking this one.';

/**
 * Judges how an attempt went.
 *
 * @param now milliseconds since the epoch.
 */
export const judgeAttempt = ({ steps }: ConnectionAttempt, now: number): Verdict => {
  const good = (name: ConnectionStepName) => steps.findLast(({ step, refusal }) => step === name && refusal === null);
  if (good('first_use') !== undefined) return { status: 'connected' };
  const token = good('token');
  if (token !== undefined) {
    const refusedAfter = steps.findLast(({ step, refusal, id }) => step === 'token' && refusal !== null && id > token.id);
    // Who redeems a code twice has lost the tokens that they got for it (RFC 6749 §4.1.2): no resource is to blame.
    if (refusedAfter?.refusal) return failed('token', refusedAfter.refusal.detail, fixOf('token', refusedAfter.refusal.error));
    return now - token.at < usedWithin
      ? { status: 'waiting', step: 'first_use', problem: 'The client has a token and has not used it yet' }
      : failed('first_use', 'The token was never used', neverUsed);
  }
  const refused = steps.findLast(({ refusal }) => refusal !== null);
  // Where what somebody allowed before still stands, the authorization request itself is answered with a code.
  const coded = steps.findLast(
    ({ step, refusal, grant }) => refusal === null && (step === 'consent' || (step === 'authorize' && grant !== null)),
  );
  const wentOn = refused === undefined || (coded?.id ?? 0) > refused.id || (good('authorize')?.id ?? 0) > refused.id;
  if (!wentOn && refused?.refusal) return failed(refused.step, refused.refusal.detail, fixOf(refused.step, refused.refusal.error));
  if (coded !== undefined) {
    return now - coded.at < redeemedWithin
      ? { status: 'waiting', step: 'token', problem: 'A code was issued and has not been redeemed yet' }
      : failed('token', 'Code issued, never redeemed', neverRedeemed);
  }
  const asked = good('authorize');
  if (asked !== undefined) {
    return now - asked.at < 3_600_000
      ? { status: 'waiting', step: 'consent', problem: 'The person has not decided yet' }
      : failed('consent', 'The person never decided', 'They closed the page, or could not sign in. They can begin again in the app.');
  }
  return { status: 'waiting', step: 'authorize', problem: 'The client has not sent anybody to the authorization endpoint yet' };
};
