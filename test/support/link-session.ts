import { parseToken, randomToken, uuidv7 } from '@grantlog/crypto';
import type { AccountId, SessionCommand, SessionId, SignInId } from '@grantlog/domain';
import { activeKey, grantDecider, keyRingDecider, keyRingStream, sessionDecider } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { execute, fold } from '@grantlog/eventsourcing';
import { commitOn, type Provisioning, sessionGrant } from '@grantlog/provisioning';

/** A session by the token that its agent holds, and the person who answers. */
export type Answered = { readonly platform: string; readonly sessionId: string; readonly account: AccountId };

/** The stream of a session, read from the agent's token. */
export const sessionOf = (sessionId: string): SessionId => {
  const parsed = parseToken(sessionId);
  if (parsed === null) throw new Error('not a token of ours');
  return parsed.payload.streamId as SessionId;
};

const answer = async (
  { log }: Pick<Provisioning, 'log'>,
  { platform, sessionId, account }: Answered,
  command: (now: number) => Exclude<SessionCommand, { type: 'start' }>,
): Promise<void> => {
  const id = sessionOf(sessionId);
  const grantId = sessionGrant(id);
  const signIn = uuidv7(Date.now()) as SignInId;
  const tokenNonce = randomToken(32);
  await execute({
    log,
    platform: platform as PlatformId,
    requests: [{ streamId: keyRingStream }, { streamId: id }, { streamId: grantId }],
    decide: (loaded) => {
      const session = fold(sessionDecider, loaded.stream(id));
      const key = activeKey(fold(keyRingDecider, loaded.stream(keyRingStream)), { use: 'token', alg: 'HS256' });
      if (session.status === 'none' || key?.use !== 'token') throw new Error(`no session ${id} on ${platform}`);
      const { events, refusal } = sessionDecider.decide(command(loaded.now), session);
      if (refusal !== undefined) throw new Error(`the session cannot be answered: ${refusal}`);
      const { client, clientId, scopes, resources, codeChallenge, expiresAt } = session.terms;
      const terms = {
        client,
        clientId,
        account,
        session: id,
        signIn,
        scopes,
        resources,
        authTime: Math.floor(loaded.now / 1000),
        tokenNonce,
      };
      const code = { expiresAt, redirectUri: null, redirectUriSent: false, codeChallenge, tokenKeyId: key.keyId, nonce: null };
      const opening = grantDecider.decide(
        { type: 'authorize', terms: { flow: 'device_code', ...terms }, code, context: null },
        fold(grantDecider, loaded.stream(grantId)),
      );
      const isLink = events.some(({ type }) => type === 'session.linked');
      const commit = commitOn(
        loaded,
        { actor: { kind: 'account', id: account }, correlationId: 'test' },
        { writes: [{ streamId: id, events }, ...(isLink ? [{ streamId: grantId, events: opening.events }] : [])] },
      );
      return { commit, outcome: null };
    },
  });
};

/** Links a session as a person's consent does: one commit of its link and of the grant that it opens. */
export const linkSession = (context: Pick<Provisioning, 'log'>, of: Answered): Promise<void> =>
  answer(context, of, (now) => ({
    type: 'link',
    now,
    account: of.account,
    signIn: uuidv7(now) as SignInId,
    standing: 'good',
  }));

export const denySession = (context: Pick<Provisioning, 'log'>, of: Answered): Promise<void> =>
  answer(context, of, (now) => ({ type: 'deny', now, reason: 'by_account', account: of.account }));

/** Ends a session alone; its grant goes on, so that a test sees which of the two is asked. */
export const revokeSessionAlone = (context: Pick<Provisioning, 'log'>, of: Answered): Promise<void> =>
  answer(context, of, () => ({ type: 'revoke', reason: 'by_operator', by: null }));
