import type { MfaFactor } from '../account/events.ts';
import type { GrantFlow, RevocationReason } from '../grant/events.ts';
import type { SessionDenial, SessionRevocation } from '../session/events.ts';
import type { SignInEnd } from '../sign-in/events.ts';
import type { EndpointDisabledReason } from '../webhook-endpoint/events.ts';
import { type Member, ordinal, seconds, secondsOrNull, text, texts, uuid, word } from './members.ts';
import type { enabledType, MassRevocation, tellings, testType, verificationType } from './tellings.ts';

type Tellings = typeof tellings;

type Particulars<Of> = Of extends { readonly particulars: (event: never) => infer Told } ? Told : never;

/** The types that are told of one stream, as the table has them. */
type OfStream = { [Type in keyof Tellings]: Tellings[Type] extends { readonly particulars: unknown } ? Type : never }[keyof Tellings];

/** What a receiver's author reads of a type, and the members that it alone has. */
export type Description<Told = Record<never, never>> = {
  readonly description: string;
  /** Whether nothing more happens to its subject. */
  readonly endsSubject: boolean;
  /** One for each that the table tells, no more and no less. */
  readonly members: { readonly [Name in keyof Told]: Member };
};

type Descriptions = { readonly [Type in OfStream]: Description<Particulars<Tellings[Type]>> } & {
  readonly [Type in typeof verificationType | typeof testType | typeof enabledType]: Description;
};

const tokenSequence = (description: string): Member => ordinal(`${description}; counts the token pairs of a grant`, 2);

const issued = {
  tokenSequence: tokenSequence('Which tokens these are'),
  accessExpiresAt: seconds('When the access token runs out', 1_785_323_345),
  refreshExpiresAt: secondsOrNull('When the refresh token runs out, or null where there is none', 1_787_911_745),
};

const factor = (description: string): Member =>
  word(description, { totp: 'codes of an authenticator app', passkey: 'a passkey' } satisfies Record<MfaFactor, string>);

const fixedPhrase = (description: string): Member => text(`${description}: a fixed phrase that names no person`, 'requested');

/** Every type of message there is. A member that the table tells and nobody described does not compile. */
export const descriptions: Descriptions = {
  'grant.authorized': {
    description:
      'A person has allowed a grant or, where a client acts for itself, the platform has. Nothing has to be done: keep `grantId`, by which everything later is told.',
    endsSubject: false,
    members: {
      flow: word('How it came to be', {
        authorization_code: 'a person allowed it in a browser',
        device_code: "a person completed an agent's session or typed a device's code",
        client_credentials: 'the client acts for itself',
        token_exchange: 'the client goes on with what another client was allowed',
        jwt_bearer: 'an identity provider spoke for the person',
      } satisfies Record<GrantFlow, string>),
      scopes: texts('Everything that was allowed', ['vault:read']),
      resources: texts('What its tokens may be for (RFC 8707)', ['https://api.example/vault']),
    },
  },
  'grant.code_redeemed': {
    description: 'The client has the first tokens of a grant that a person allowed. Nothing has to be done.',
    endsSubject: false,
    members: issued,
  },
  'grant.refreshed': {
    description: 'The client has new tokens, and the refresh token before is used up. Nothing has to be done.',
    endsSubject: false,
    members: issued,
  },
  'grant.refresh_retried': {
    description:
      'The client lost the answer to a refresh, asked again and got the same tokens. Once in a while that is a bad connection; look into it where it happens often, for a thief who is quick looks the same.',
    endsSubject: false,
    members: { tokenSequence: tokenSequence('Which tokens were answered again') },
  },
  'grant.refresh_reused': {
    description:
      'A refresh token came that had been used up, so somebody may hold a copy. The grant is ended with it: `grant.revoked` comes as well. Find out where the token was kept.',
    endsSubject: false,
    members: {
      tokenSequence: tokenSequence('Which refresh token came'),
      currentTokenSequence: tokenSequence('Which one was the latest'),
    },
  },
  'grant.code_replayed': {
    description:
      'An authorization code came a second time, so somebody may hold a copy. The grant is ended with it: `grant.revoked` comes as well.',
    endsSubject: false,
    members: {},
  },
  'grant.access_token_revoked': {
    description: 'One access token was revoked; the grant and its other tokens go on. Forget what you keep about this token.',
    endsSubject: false,
    members: { tokenSequence: tokenSequence('Which access token') },
  },
  'grant.context_selected': {
    description: "It was chosen which of the account's objects the grant is for. From now on that holds for every token of the grant.",
    endsSubject: false,
    members: { context: text("The id of the account's object", 'household-2') },
  },
  'grant.expired': {
    description: 'The last token of the grant has run out. Forget the grant; there will be no more of it.',
    endsSubject: true,
    members: {},
  },
  'grant.revoked': {
    description: 'The grant was ended, and every token of it is dead. Stop at once whatever runs on it, and forget the grant.',
    endsSubject: true,
    members: {
      reason: word('Why it ended', {
        by_account: 'the person ended it',
        by_client: 'the client ended it, or whoever develops the client',
        by_operator: 'an operator ended it',
        token_revoked: 'the client revoked its refresh token',
        code_replayed: 'its authorization code came twice',
        refresh_reused: 'a refresh token came that was used up',
        refresh_retried_too_often: 'the same tokens were asked for again too many times in a row',
        revoked_with_client: 'all grants of the client were ended',
        revoked_with_account: 'all grants of the account were ended',
        revoked_with_platform: 'all grants of the platform were ended',
      } satisfies Record<RevocationReason | MassRevocation, string>),
    },
  },
  'account.disabled': {
    description: 'The account may not be used until it is enabled again, and neither may its grants. Stop acting for it.',
    endsSubject: false,
    members: { reason: fixedPhrase('Why') },
  },
  'account.enabled': {
    description: 'The account may be used again, and so may those of its grants that have not ended. What was stopped may go on.',
    endsSubject: false,
    members: {},
  },
  'account.erased': {
    description: 'The account and everything about its person was erased for good. Erase what you keep about it.',
    endsSubject: true,
    members: {},
  },
  'account.password_set': {
    description: 'The account has a new password, or its first. Only who hears the whole platform is told.',
    endsSubject: false,
    members: {},
  },
  'account.mfa_enrolled': {
    description: 'The account has another second factor. Only who hears the whole platform is told.',
    endsSubject: false,
    members: { factor: factor('Which') },
  },
  'account.mfa_removed': {
    description: 'The account has lost a second factor. Only who hears the whole platform is told.',
    endsSubject: false,
    members: { factor: factor('Which') },
  },
  'sign_in.ended': {
    description:
      'A browser is signed in no more. Grants that were allowed in it go on. End the session of your own that it led to; apps are told that hold a grant from it.',
    endsSubject: true,
    members: {
      reason: word('Why it ended', {
        signed_out: 'the person signed out',
        expired: 'its time was up',
        replaced: 'somebody signed in anew in the same browser',
        by_operator: 'an operator ended it',
      } satisfies Record<SignInEnd, string>),
    },
  },
  'client.disabled': {
    description: 'The client may not be used until it is enabled again, and neither may what it was granted. Stop what runs on it.',
    endsSubject: false,
    members: { reason: fixedPhrase('Why') },
  },
  'client.enabled': {
    description: 'The client may be used again, and so may those of its grants that have not ended. What was stopped may go on.',
    endsSubject: false,
    members: {},
  },
  'client.approved': {
    description: 'An operator has approved the client or, where it was approved before, the change that its developer proposed.',
    endsSubject: false,
    members: {},
  },
  'client.rejected': {
    description: 'An operator has not approved the client. Its developer may change it, which asks for another look.',
    endsSubject: false,
    members: { reason: fixedPhrase('Why') },
  },
  'client.change_rejected': {
    description: 'An operator has not approved a change of the client, which goes on as it was. Its developer may propose another.',
    endsSubject: false,
    members: { reason: fixedPhrase('Why') },
  },
  'client.deleted': {
    description: 'The client is no more, and nothing that it was granted works. Stop what runs on it, and forget it.',
    endsSubject: true,
    members: {},
  },
  'session.linked': {
    description: "A person has said yes to an agent's session. Its agent can redeem it for tokens at the token endpoint now.",
    endsSubject: false,
    members: { accountId: uuid('The account of whoever said yes', '00000000-0003-8c21-a4d0-5b9e6f7a8c13') },
  },
  'session.redeemed': {
    description: 'The agent has the tokens of its session. Nothing has to be done: what happens from here is told of the grant.',
    endsSubject: false,
    members: {},
  },
  'session.denied': {
    description: 'The session is over without an account. Tell the person, and begin another only if they ask for it.',
    endsSubject: true,
    members: {
      reason: word('Why', {
        by_account: 'the person said no',
        wrong_number: 'the person chose another number than the agent had shown',
      } satisfies Record<SessionDenial, string>),
    },
  },
  'session.expired': {
    description: 'The session was not completed and redeemed in its time. Begin another if it is still wanted.',
    endsSubject: true,
    members: {},
  },
  'session.revoked': {
    description: 'The session was ended, and the tokens that it may have given are dead. Stop at once whatever runs on them.',
    endsSubject: true,
    members: {
      reason: word('Who ended it', {
        by_account: 'the person',
        by_client: 'the agent itself',
        by_operator: 'an operator',
      } satisfies Record<SessionRevocation, string>),
    },
  },
  'webhook_endpoint.verification': {
    description:
      'Asks whether the receiver wants what will be sent: when an endpoint is registered, led to another URL or enabled again. Answer 2xx to verify it; everything else waits until then. It is asked whatever types it hears.',
    endsSubject: false,
    members: {},
  },
  'webhook_endpoint.test': {
    description: 'Somebody asked for it, to see whether it arrives. Answer 2xx, which verifies the endpoint as well; nothing has happened.',
    endsSubject: false,
    members: {},
  },
  'webhook_endpoint.enabled': {
    description:
      'To a stream of security events alone: somebody else than its receiver has enabled it again. Told there as stream-updated; an answer of 2xx verifies it as well.',
    endsSubject: false,
    members: {},
  },
  'webhook_endpoint.failing': {
    description:
      'Another endpoint has only failed for days, and will be disabled within a day unless it answers. It goes to endpoints that hear what that one hears.',
    endsSubject: false,
    members: { failingSince: seconds('Since when it has only failed', 1_785_000_000) },
  },
  'webhook_endpoint.disabled': {
    description:
      'Another endpoint is sent nothing any more. Enable it again once it is mended, and have what it missed sent again. It goes to endpoints that hear what that one hears.',
    endsSubject: false,
    members: {
      reason: word('Why', {
        operator: 'somebody disabled it',
        gone: 'its receiver answered 410',
        receiver: 'its receiver asked for it by `webhook-delivery: disable`',
        failing: 'it had only failed for five days',
        unverified: 'nobody answered when it was to be verified',
      } satisfies Record<EndpointDisabledReason, string>),
    },
  },
};
