import { deviceCodeGrant, type SessionTerms } from '@grantlog/domain';
import { issuerOf } from '../platforms/issuer.ts';
import type { LoadedSession } from '../sessions/load-session.ts';
import { agentErrors } from './errors.ts';
import type { OpenedSession } from './open-session.ts';
import type { CheckAccountStatusResult } from './schemas.ts';

/** What the session gave is in somebody's hands: its tokens were fetched. */
const isRedeemed = ({ state, grant }: LoadedSession): boolean => state.status === 'redeemed' || grant.status === 'active';

const howToRedeem = ({ codeChallenge }: SessionTerms): string => {
  const verifier = codeChallenge === null ? '' : ', with your code_verifier,';
  return `POST grant_type, client_id and sessionId as device_code${verifier} to token_endpoint, once, before expiresIn is over.`;
};

/**
 * What anybody with the sessionId is told: how it stands and what to do next, and nothing of the person.
 *
 * @see RFC 8628 §3.4
 */
export const bareStatus = ({ session, status, now }: OpenedSession, publicUrl: string): CheckAccountStatusResult => {
  const { terms } = session.state;
  const expiresIn = Math.max(0, terms.expiresAt - Math.floor(now / 1000));
  switch (status) {
    case 'pending':
      return { authenticated: false, status, expiresIn, interval: terms.intervalSeconds };
    case 'complete':
      // Never an invitation to redeem again: a device code that comes twice ends what it gave (RFC 6749 §4.1.2).
      if (isRedeemed(session)) return { authenticated: true, status, redeemed: true };
      return {
        authenticated: true,
        status,
        redeemed: false,
        expiresIn,
        token_endpoint: `${issuerOf(session.document, publicUrl)}/oauth/token`,
        grant_type: deviceCodeGrant,
        client_id: terms.clientId,
        codeVerifierRequired: terms.codeChallenge !== null,
        resolution: howToRedeem(terms),
      };
    case 'denied':
      return {
        authenticated: false,
        status,
        resolution: 'The person declined or chose another number. Call init_signup again only if they ask for it.',
      };
    case 'expired':
      return { authenticated: false, status, resolution: agentErrors.invalid_grant.resolution };
    case 'revoked':
      return { authenticated: false, status, resolution: agentErrors.session_revoked.resolution };
  }
};
