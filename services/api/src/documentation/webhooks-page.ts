import type { PlatformDocument } from '@grantlog/domain';
import { lasting, paragraphs, type TextPage, table } from './text-page.ts';
import { ownWebhookEndpoints } from './webhook-endpoints-part.ts';

/** How the agent of a sign-up session is told at a webhook of that session. */
const ofSessions = (document: PlatformDocument, issuer: string): string =>
  paragraphs(
    '## Of a sign-up session',
    `The best time to register a webhook is \`init_signup\`; later, \`register_webhook\` or \`POST ${issuer}/rest/webhook\` with the session's access token. Registered again with the same \`sessionKey\` it is changed. It stays with its session for good. \`get_webhook_status\`, or \`GET ${issuer}/rest/webhook\`, tells how it stands.`,
    table(
      ['Field', 'Meaning'],
      [
        [
          '`webhookUrl`',
          `Where to send${document.webhooks.allowLoopback ? '' : ': https'}. Addresses of private networks are refused, again at every delivery.`,
        ],
        [
          '`webhookToken`',
          'Yours, random. Every request carries it as `Authorization: Bearer`. It is never shown again. Register again with another one to rotate it: for a day, a receiver that answers the new one with 401 or 403 is sent the same request once more, at once, with the previous one, and that answer counts.',
        ],
        ['`deliveryContext`', 'An object of yours that comes back in `data` of every body, to find the conversation by.'],
        ['`conversationSessionKey`', 'Your own name for the conversation; comes back in `data`.'],
      ],
    ),
  ).trimEnd();

/** What a receiver gets and how it checks it. */
export const webhooksPage: TextPage = {
  slug: 'webhooks',
  title: 'Webhooks',
  about: 'How to register one, what is sent, and how to verify it',
  isFor: () => true,
  write: ({ document, issuer }) =>
    paragraphs(
      '# Webhooks',
      document.agentSignUp === null ? null : ofSessions(document, issuer),
      ownWebhookEndpoints(document, issuer),
      '## What is sent',
      'A `POST` of JSON: `{"type":…,"timestamp":…,"data":{…}}`. The first is `webhook_endpoint.verification`; a 2xx makes the webhook verified. Then what happens to the session (`session.linked`, `session.redeemed`, `session.denied`, `session.expired`, `session.revoked`) and to its grant (`grant.authorized`, `grant.code_redeemed`, `grant.refreshed`, `grant.revoked` and others). No body has a token or a secret of ours in it.',
      `[Every type](${issuer}/webhooks/event-types) with its JSON Schema, an example and what to do about it, as JSON; the types that a webhook of a session gets are those of its session, its grant and its account. Put up with members, types and reasons that are not there yet.`,
      '`data` has `sequence` and `position`: put what you get in order by them, for a retry may come after a later event. The same event comes with the same `webhook-id`: handle it once.',
      'Every request has a `traceparent` (W3C Trace Context). Its trace id is that of the request which caused the event, the same at each attempt; the parent id is of the attempt. Name the trace id where you ask us about a webhook. It is not signed: decide nothing by it.',
      '## How to verify it',
      'Every request is signed as Standard Webhooks says: `webhook-id`, `webhook-timestamp` and `webhook-signature` over `{id}.{timestamp}.{body}`, the body as its bytes came. Check the signature, and that the timestamp is within five minutes of your clock.',
      table(
        ['Signature', 'With'],
        [
          [
            '`v1a`',
            'Ed25519 and the `publicKey` (`whpk_`) that the registration answers. What a tool registers has it unless you ask otherwise: nothing secret passes through a conversation.',
          ],
          ['`v1`', 'HMAC-SHA256 and the `signingSecret` (`whsec_`), which is shown over REST alone, once.'],
        ],
      ),
      `Of an endpoint of your own with \`v1a\`, \`webhook-key-id\` is the \`kid\` of the newest key in \`${issuer}/webhooks/endpoints/{endpointId}/jwks.json\`; during a rotation both keys are there, and both have signed.`,
      document.agentSignUp === null
        ? null
        : `A receiver of a session's webhook that keeps no key verifies \`v1a\` by the platform's own: take the key whose \`kid\` is the header \`webhook-key-id\` from the \`jwks_uri\` of the metadata of \`${issuer}\`, never from an address in a request, and try it on every \`v1a\` signature of the list. One key signs for all receivers of the platform, so then \`data.audience\` has to be your own \`webhookUrl\` (without its query) as well. It proves who sent it, not which conversation it is about: for that check \`webhookToken\`, or a MAC of your own in \`deliveryContext\`.`,
      document.agentSignUp === null
        ? null
        : 'Another `webhookUrl` is another receiver: it is asked to verify itself, and gets nothing that was given for the one before. Send the token and the context again.',
      `Answer 2xx within a few seconds and work afterwards. Anything else is tried again for three days. An access token lives ${lasting(document.lifetimes.accessTokenSeconds)} at most, so act on \`grant.revoked\` and \`session.revoked\` at once.`,
      `A receiver that was away for longer, or cannot be reached, [asks for the same events](${issuer}/docs/events.md) by their last id.`,
    ),
};
