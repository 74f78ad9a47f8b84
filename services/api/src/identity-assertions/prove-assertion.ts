import { jwtBearerGrant, type TrustedIssuer } from '@grantlog/domain';
import type { Deps } from '../deps.ts';
import { proveClient } from '../grants/exchange.ts';
import { refusalToError } from '../grants/refusals.ts';
import type { TokenRequest } from '../grants/token-request.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldClient, foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { type ClaimedAssertion, readAssertion } from './claimed-assertion.ts';
import { isDescribed } from './client-of-assertion.ts';
import { trustedIssuerOf } from './trusted-issuer.ts';
import { type ProvedAssertion, refuseAssertion, verifyAssertion } from './verify-assertion.ts';

/** An assertion that is signed, by whom, and what it comes to. Whether it was used before is not known yet. */
export type Proved = { readonly claimed: ClaimedAssertion; readonly trusted: TrustedIssuer; readonly assertion: ProvedAssertion };

/**
 * Proves the assertion of a request, before anything that it names is looked at.
 *
 * A client that the log knows proves itself first. What a document describes is fetched for whoever has an assertion of it
 * alone, so that one is judged here without its client, who is proved where it is used.
 *
 * @throws OAuthError
 * @throws LogUnavailable
 */
export const proveAssertion = async (deps: Deps, request: TokenRequest): Promise<Proved> => {
  const { names, credentials, parameters, proofKey } = request;
  const { platform } = names;
  const { clientId } = credentials;
  const stream = names.client(clientId);
  const loaded = await deps.log.load(platform, [...platformStreams, { streamId: stream, withSecrets: true }]);
  const owner = foldPlatform(loaded);
  const isLater =
    owner.status !== 'none' && owner.document.grantTypes.includes(jwtBearerGrant) && isDescribed(clientId, foldClient(loaded, stream));
  const { document } = isLater ? owner : proveClient(deps, request, loaded, jwtBearerGrant);
  const claimed = readAssertion(parameters.require('assertion'));
  if (claimed === null) throw refuseAssertion('assertion has to be a JWT with iss, sub, jti and exp');
  const trusted = trustedIssuerOf(document, claimed);
  const issuer = issuerOf(document, deps.config.publicUrl);
  const assertion = await verifyAssertion(deps, claimed, trusted, { issuer, platform, clientId, now: loaded.now });
  // RFC 7800 §3: whoever shows it holds the key that it names.
  if (assertion.jkt !== null && assertion.jkt !== proofKey) throw refusalToError('proof_key_mismatch');
  return { claimed, trusted, assertion };
};
