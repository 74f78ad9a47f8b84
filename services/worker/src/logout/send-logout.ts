import { SealBroken } from '@grantlog/crypto';
import { type Egress, type EgressOutcome, tellTenant } from '@grantlog/egress';
import type { ClaimedLogout, LogoutOutcome } from '@grantlog/postgres';
import type { KeyReading } from '../keys/signing-key.ts';
import { nextAttemptIn, parseRetryAfter } from '../webhooks/retry-schedule.ts';
import { logoutToken } from './logout-token.ts';
import { openRelyingParty } from './relying-party.ts';

export type SendLogoutContext = KeyReading & {
  readonly egress: Pick<Egress, 'request'>;
  readonly publicUrl: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** From 0 up to 1. */
  readonly random: () => number;
};

/**
 * Makes one attempt: signs a fresh token by the platform's key, posts it, and says what becomes of the notice. 200 is what the
 * specification asks for, and any 2xx counts (§2.8); a redirect is a failure like any other, never followed.
 *
 * Retries are those of webhooks: ten attempts in three days. An app that answers 400 may only have failed for now (§2.8).
 *
 * @see OIDC Back-Channel Logout 1.0 §2.5
 */
export const sendLogout = async (context: SendLogoutContext, claimed: ClaimedLogout): Promise<LogoutOutcome> => {
  const { platform, id, client, account, signIn, attempt } = claimed;
  const later = (error: string, retryAfterMs: number | null): LogoutOutcome => {
    const retryInMs = nextAttemptIn({ failures: attempt, retryAfterMs, random: context.random() });
    return retryInMs === null ? { kind: 'failed', error } : { kind: 'due', error, retryInMs };
  };
  const post = async (): Promise<EgressOutcome | 'dropped' | 'no_key'> => {
    const app = await openRelyingParty(context, { platform, client });
    if (app === null) return 'dropped';
    const { issuer, clientId, key } = app;
    if (key === null) return 'no_key';
    const token = await logoutToken(key, { issuer, clientId, account, signIn, id, issuedAt: Math.floor(context.now() / 1000) });
    return context.egress.request({
      url: app.uri,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'user-agent': 'Grantlog-Logout/1' },
      body: String(new URLSearchParams({ logout_token: token })),
      allowLoopback: app.allowLoopback,
    });
  };
  try {
    const answer = await post();
    if (answer === 'dropped') return { kind: 'dropped' };
    if (answer === 'no_key') return later("the platform has no key of the algorithm of the app's ID tokens", null);
    if (answer.kind === 'response' && answer.status >= 200 && answer.status < 300) return { kind: 'told' };
    const retryAfter = answer.kind === 'response' ? parseRetryAfter(answer.headers['retry-after'], context.now()) : null;
    return later(tellTenant(answer), retryAfter);
  } catch (error) {
    // Another worker may have the secret, or this one after its next start.
    if (error instanceof SealBroken) return later('GRANTLOG_SECRET holds no secret that opens the signing key', null);
    throw error;
  }
};
