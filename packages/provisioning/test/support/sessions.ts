import { randomToken, uuidv7 } from '@grantlog/crypto';
import type { AccountId, ClientStreamId, GrantId, GrantState, SessionId, SessionState, SessionTerms, SignInId } from '@grantlog/domain';
import { grantDecider, sessionDecider } from '@grantlog/domain';
import type { Loaded, NewEvent, PlatformId, StreamId } from '@grantlog/eventsourcing';
import { execute, fold } from '@grantlog/eventsourcing';
import { commitOn, type Provisioning, sessionGrant } from '../../src/index.ts';
import { by, platform } from './world.ts';

export const account = '00000000-0003-8000-8000-00000000000a' as AccountId;
export const stranger = '00000000-0003-8000-8000-00000000000b' as AccountId;
export const client = '00000000-0004-8000-8000-00000000000a' as ClientStreamId;
export const otherClient = '00000000-0004-8000-8000-00000000000b' as ClientStreamId;
const signIn = '01890000-0000-7000-8000-000000000001' as SignInId;

type Node = Pick<Provisioning, 'log'>;
export type SessionWithGrant = { readonly session: SessionState; readonly grant: GrantState };

const termsOf = (now: number): SessionTerms => ({
  client,
  clientId: 'agent',
  via: 'init_signup',
  scopes: ['read'],
  resources: [],
  codeChallenge: null,
  expiresAt: Math.floor(now / 1000) + 900,
  intervalSeconds: 5,
  tokenKeyId: 1,
  tokenNonce: randomToken(32),
});

const look = (loaded: Loaded, id: SessionId): SessionWithGrant => ({
  session: fold(sessionDecider, loaded.stream(id)),
  grant: fold(grantDecider, loaded.stream(sessionGrant(id))),
});

/** Decides about a session and its grant together, as the pages and the token endpoint do; null when it was refused. */
const decideBoth = async <Refusal extends string>(
  { log }: Node,
  id: SessionId,
  decide: (
    state: SessionWithGrant,
    now: number,
  ) => { readonly refusal: Refusal } | { readonly session: readonly NewEvent[]; readonly grant: readonly NewEvent[] },
): Promise<Refusal | 'done'> => {
  const grant: GrantId = sessionGrant(id);
  const { outcome } = await execute<Refusal | 'done'>({
    log,
    platform,
    requests: [{ streamId: id }, { streamId: grant }],
    decide: (loaded) => {
      const decided = decide(look(loaded, id), loaded.now);
      if ('refusal' in decided) return { commit: null, outcome: decided.refusal };
      const writes = [
        { streamId: id as StreamId, events: decided.session },
        { streamId: grant, events: decided.grant },
      ];
      return { commit: commitOn(loaded, by, { writes, reads: [id, grant] }), outcome: 'done' };
    },
  });
  return outcome;
};

export const startSession = async ({ log }: Node, on: PlatformId = platform): Promise<SessionId> => {
  const id = uuidv7(Date.now()) as SessionId;
  await execute({
    log,
    platform: on,
    requests: [{ streamId: id }],
    decide: (loaded) => {
      const { events } = sessionDecider.decide({ type: 'start', terms: termsOf(loaded.now) }, sessionDecider.initial);
      return { commit: commitOn(loaded, by, { writes: [{ streamId: id, events }] }), outcome: null };
    },
  });
  return id;
};

/** The person's answer: the session is linked and its grant opened, in one commit. */
export const link = (node: Node, id: SessionId, who: AccountId = account) =>
  decideBoth(node, id, ({ session, grant }, now) => {
    const linked = sessionDecider.decide({ type: 'link', now, account: who, signIn, standing: 'good' }, session);
    if (linked.refusal !== undefined || session.status === 'none') return { refusal: linked.refusal ?? 'unknown_session' };
    const { terms } = session;
    const opened = grantDecider.decide(
      {
        type: 'authorize',
        terms: {
          flow: 'device_code',
          client: terms.client,
          clientId: terms.clientId,
          account: who,
          session: id,
          signIn,
          scopes: terms.scopes,
          resources: terms.resources,
          authTime: Math.floor(now / 1000),
          tokenNonce: randomToken(32),
        },
        code: {
          expiresAt: terms.expiresAt,
          redirectUri: null,
          redirectUriSent: false,
          codeChallenge: terms.codeChallenge,
          tokenKeyId: 1,
          nonce: null,
        },
        context: null,
      },
      grant,
    );
    return opened.refusal === undefined ? { session: linked.events, grant: opened.events } : { refusal: opened.refusal };
  });

export const deny = (node: Node, id: SessionId) =>
  decideBoth(node, id, ({ session }, now) => {
    const denied = sessionDecider.decide({ type: 'deny', now, reason: 'by_account', account }, session);
    return denied.refusal === undefined ? { session: denied.events, grant: [] } : { refusal: denied.refusal };
  });

/** The agent's turn: session and grant are redeemed in one commit. */
export const redeem = (node: Node, id: SessionId) =>
  decideBoth(node, id, ({ session, grant }, now) => {
    const redeemed = sessionDecider.decide({ type: 'redeem', now, client, standing: 'good' }, session);
    if (redeemed.refusal !== undefined) return { refusal: redeemed.refusal };
    const issued = grantDecider.decide(
      {
        type: 'redeem_code',
        now,
        client,
        standing: 'good',
        redirectUri: null,
        verifierDigest: null,
        narrowing: { scopes: null, resource: null },
        rules: { accessTokenSeconds: 3600, refreshTokenSeconds: 86_400, grantMaxSeconds: null, tokenKeyId: 1 },
        proofKey: null,
      },
      grant,
    );
    return issued.refusal === undefined ? { session: redeemed.events, grant: issued.events } : { refusal: issued.refusal };
  });

/** Session and grant as they stand, of one load. */
export const standing = async ({ log }: Node, id: SessionId): Promise<SessionWithGrant> =>
  look(await log.load(platform, [{ streamId: id }, { streamId: sessionGrant(id) }]), id);
