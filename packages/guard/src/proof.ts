import { type DpopFault, type DpopProof, dpopWords, verifyDpopProof } from '@grantlog/crypto';
import { defaultRetryAfter } from './ask-as-client.ts';
import type { GuardRequest } from './guard.ts';
import type { Settings } from './options.ts';
import type { Refused } from './outcome.ts';
import type { OnProblem } from './problem.ts';
import type { SpendProof } from './proof-memory.ts';
import { type Place, refuseToken, unavailable } from './refusals.ts';

type Shown = Pick<GuardRequest, 'request' | 'url'>;

const withoutRequest = 'a token with a proof of possession came in: give check() the request, with its method, its headers and its url';
const notKept = 'spendProof failed, so nobody can tell whether a proof was used before';

/** The URL as the client knows it. Of a request's own the path counts alone: what else stands there anybody may have written. */
const targetOf = ({ resource }: Pick<Settings, 'resource'>, { request, url }: Shown): string | undefined => {
  if (url !== undefined || request?.url === undefined) return url;
  return request.url.startsWith('/') ? new URL(resource).origin + request.url : '';
};

/**
 * Judges the proof of possession that came with a token (RFC 9449 §4.3, §7.1), and takes it once everything else about it is good.
 *
 * @returns null where whoever sent the request has shown the key `jkt`.
 */
export const checkProof = async (
  check: {
    readonly settings: Pick<Settings, 'resource' | 'now'>;
    readonly report: OnProblem;
    readonly place: Place;
    readonly spendProof: SpendProof;
    readonly shown: Shown;
  },
  { token, jkt }: { readonly token: string; readonly jkt: string },
): Promise<Refused | null> => {
  const { settings, report, place, spendProof, shown } = check;
  const { request } = shown;
  const target = targetOf(settings, shown);
  if (request?.method === undefined || target === undefined) {
    report({ kind: 'no_request', message: withoutRequest });
    return unavailable(defaultRetryAfter);
  }
  const refuse = (fault: DpopFault): Refused =>
    refuseToken(place, fault === 'wrong_key' ? 'invalid_token' : 'invalid_dpop_proof', dpopWords[fault]);
  const [proof, ...others] = [request.headers['dpop'] ?? []].flat();
  if (proof === undefined) return refuse('missing');
  if (others.length > 0) return refuse('malformed');
  const verified = await verifyDpopProof({ proof, method: request.method, targets: [target], accessToken: token });
  if (verified.outcome === 'refused') return refuse(verified.reason);
  if (verified.jkt !== jkt) return refuse('wrong_key');
  const seconds = settings.now() / 1000;
  if (seconds < verified.from || seconds > verified.until) return refuse('untimely');
  try {
    return (await spendProof(usedProofOf(verified))) ? null : refuse('replayed');
  } catch (error) {
    report({ kind: 'proofs_not_kept', message: `${notKept}: ${error instanceof Error ? error.name : 'it threw'}` });
    return unavailable(defaultRetryAfter);
  }
};

const usedProofOf = ({ id, until }: DpopProof) => ({ id: Buffer.from(id).toString('base64url'), until });
