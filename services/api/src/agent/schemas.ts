import Type, { type Static } from 'typebox';
import { exactly, instant, nullable } from '../json-api/schemas.ts';

const webhookUrl = Type.String({
  minLength: 1,
  maxLength: 2048,
  description: 'Where to send webhooks: https, on a public address',
});
const webhookToken = Type.String({
  minLength: 1,
  maxLength: 512,
  // It becomes a header of its own.
  pattern: '^[\\x21-\\x7e]+$',
  description: 'A random token of yours; webhooks carry it as Authorization: Bearer, besides their signature. Never shown again',
});
const deliveryContext = Type.Record(Type.String({ maxLength: 200 }), Type.Unknown(), {
  description:
    'Comes back in the data of every webhook, such as {"to":"+15551234567","channel":"whatsapp","deliver":true}; at most 4,096 bytes of JSON',
});
const conversationSessionKey = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'Your own name for the conversation; comes back in webhooks',
});
const sessionKey = Type.String({ minLength: 1, maxLength: 200, description: 'Names one webhook among those of a session' });
const sessionId = Type.String({
  minLength: 1,
  maxLength: 512,
  description: 'A secret: as init_signup returned it, the device_code of RFC 8628',
});

export const initSignupInput = exactly({
  baseUrl: Type.String({ minLength: 1, maxLength: 2048, description: 'The URL of this server, as you know it' }),
  webhookUrl: Type.Optional(webhookUrl),
  webhookToken: Type.Optional(webhookToken),
  deliveryContext: Type.Optional(deliveryContext),
  conversationSessionKey: Type.Optional(conversationSessionKey),
  clientId: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 2048,
      description: 'Of your registered client; without one people read that nobody has verified you',
    }),
  ),
  scope: Type.Optional(Type.String({ minLength: 1, maxLength: 2048, description: 'Scopes, parted by spaces; without it the usual ones' })),
  codeChallenge: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9_-]{43}$',
      description: 'base64url of SHA-256 of a fresh code verifier (RFC 7636, S256), which you then have to send with the redemption',
    }),
  ),
});
export type InitSignupInput = Static<typeof initSignupInput>;

const signature = Type.Enum(['v1', 'v1a'], {
  description:
    'Of a new webhook, and never changed: v1 is HMAC-SHA256 with a shared secret, v1a is Ed25519 with a public key (Standard Webhooks). A tool makes v1a, REST makes v1 where nothing else is asked for',
});

export const registerWebhookInput = exactly({
  webhookUrl,
  webhookToken: Type.Optional(webhookToken),
  deliveryContext: Type.Optional(deliveryContext),
  conversationSessionKey: Type.Optional(conversationSessionKey),
  sessionKey: Type.Optional(sessionKey),
  signature: Type.Optional(signature),
});
export type RegisterWebhookInput = Static<typeof registerWebhookInput>;

export const registerWebhookResult = Type.Object({
  success: Type.Literal(true),
  webhookUrl: Type.String(),
  hasSecret: Type.Boolean({ description: 'Whether webhooks carry a bearer token of yours' }),
  hasDeliveryContext: Type.Boolean(),
  sessionKey: Type.String({ description: 'Register again with it to change this webhook' }),
  conversationSessionKey: nullable(Type.String()),
  created: Type.Boolean({ description: 'False where a webhook of this sessionKey was there and has been changed' }),
  verified: Type.Boolean({
    description: 'Whether the receiver behind webhookUrl has answered a signed event with 2xx',
  }),
  signature: Type.Optional(signature),
  publicKey: Type.Optional(Type.String({ description: 'whpk_: with v1a, what to verify signatures with' })),
  signingSecret: Type.Optional(Type.String({ description: 'whsec_: with v1, over REST alone; shown once, here' })),
});
export type RegisterWebhookResult = Static<typeof registerWebhookResult>;

export const initSignupResult = Type.Object({
  authUrl: Type.String({ description: 'For the person to open in a browser; works once' }),
  sessionId,
  expiresIn: Type.Integer({ description: 'Seconds that authUrl and sessionId are good for' }),
  interval: Type.Integer({ description: 'Least seconds between two polls of check_account_status' }),
  number: Type.Integer({ description: 'Tell it to the person, who chooses it on the page, so that a link from a stranger stands out' }),
  clientId: Type.String({ description: 'As whom to redeem sessionId, at the token endpoint' }),
  instructions: Type.String({ description: 'What to say to the person, and what to do next' }),
  webhook: Type.Optional(registerWebhookResult),
});
export type InitSignupResult = Static<typeof initSignupResult>;

const webhookMembers = {
  sessionKey: Type.String(),
  webhookUrl: Type.String(),
  hasSecret: Type.Boolean(),
  hasDeliveryContext: Type.Boolean(),
  conversationSessionKey: nullable(Type.String()),
  linkedAt: nullable({ ...instant, description: 'When the person connected the session' }),
  status: Type.Enum(['active', 'disabled']),
  verified: Type.Boolean(),
  registeredAt: instant,
};

export const getWebhookStatusInput = exactly({ sessionKey: Type.Optional(sessionKey) });
export type GetWebhookStatusInput = Static<typeof getWebhookStatusInput>;

const webhook = Type.Object({ configured: Type.Literal(true), ...webhookMembers });
export type WebhookView = Static<typeof webhook>;

/** One webhook's members where a sessionKey was given, `webhooks` where none was. */
export const getWebhookStatusResult = Type.Object({
  configured: Type.Boolean({ description: 'Whether there is one' }),
  ...Type.Partial(Type.Object(webhookMembers)).properties,
  webhooks: Type.Optional(Type.Array(webhook, { description: 'All of the session, oldest first, where no sessionKey was given' })),
});
export type GetWebhookStatusResult = Static<typeof getWebhookStatusResult>;

export const checkAccountStatusInput = exactly({ sessionId: Type.Optional(sessionId) });
export type CheckAccountStatusInput = Static<typeof checkAccountStatusInput>;
export const signupStatusInput = exactly({ sessionId });

const status = Type.Enum(['pending', 'complete', 'denied', 'expired', 'revoked']);
const session = Type.String({ description: 'Names the session in webhooks and to operators; no secret' });

export const checkAccountStatusResult = Type.Object({
  authenticated: Type.Boolean({ description: 'Whether a person has connected and the connection stands' }),
  status,
  sessionId: Type.Optional(sessionId),
  expiresIn: Type.Optional(Type.Integer({ description: 'Seconds that are left to complete and redeem' })),
  interval: Type.Optional(Type.Integer({ description: 'Least seconds until the next poll' })),
  redeemed: Type.Optional(Type.Boolean({ description: 'Whether the tokens have been fetched' })),
  token_endpoint: Type.Optional(Type.String({ description: 'Where to redeem sessionId, as device_code, once' })),
  grant_type: Type.Optional(Type.String({ description: 'With which to redeem it' })),
  client_id: Type.Optional(Type.String({ description: 'As whom to redeem it' })),
  codeVerifierRequired: Type.Optional(Type.Boolean({ description: 'Whether the redemption has to bring the code_verifier' })),
  resolution: Type.Optional(Type.String({ description: 'What to do next' })),
  userName: Type.Optional(nullable(Type.String({ description: 'With the scope profile' }))),
  linkedAt: Type.Optional(instant),
  scope: Type.Optional(Type.String({ description: 'What the token is good for' })),
  session: Type.Optional(session),
  webhook: Type.Optional(Type.Object({ configured: Type.Boolean(), webhooks: Type.Array(webhook) })),
  sessions: Type.Optional(
    Type.Array(Type.Object({ session, status, linkedAt: nullable(instant), redeemed: Type.Boolean() }), {
      description: 'Where no sessionId was given: those that the token belongs to',
    }),
  ),
});
export type CheckAccountStatusResult = Static<typeof checkAccountStatusResult>;

export const endSessionResult = Type.Object({ success: Type.Literal(true), status: Type.Literal('revoked'), session });
export type EndSessionResult = Static<typeof endSessionResult>;
