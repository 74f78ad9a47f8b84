import { signalUris } from '@grantlog/domain';
import { isTransmitter } from '../signals/signal-door.ts';
import { paragraphs, type TextPage, table } from './text-page.ts';

/** How to receive security events. */
export const securityEventsPage: TextPage = {
  slug: 'security-events',
  title: 'Security events',
  about: 'How to receive them as signed tokens, pushed or polled, by the OpenID Shared Signals Framework',
  isFor: isTransmitter,
  write: ({ issuer }) =>
    paragraphs(
      '# Security events',
      `This platform is a transmitter of the OpenID Shared Signals Framework 1.0: ${issuer}/.well-known/ssf-configuration describes it. What it sends are security event tokens (SETs, RFC 8417), signed with RS256 by a key of ${issuer}/.well-known/jwks.json.`,
      'A receiver is a client with tokens of its own (`client_credentials`) and these scopes:',
      table(
        ['Scope', 'Lets it'],
        [
          ['`ssf.read`', 'read what its streams are'],
          ['`ssf.manage`', 'make and change them, and poll'],
          [
            '`ssf.platform`',
            'make streams that hear of the whole platform. Without it one hears what concerns the client alone: its grants, their people',
          ],
        ],
      ),
      '## A stream',
      `\`POST ${issuer}/ssf/streams\` makes one. \`{"delivery":{"method":"urn:ietf:rfc:8935","endpoint_url":…,"authorization_header":…},"events_requested":[…]}\` is pushed (RFC 8935): each SET is the body of a POST of \`application/secevent+jwt\`; answer 202. The first is a verification, and nothing else comes until it is answered. Without \`delivery\` it is polled (RFC 8936) at the \`endpoint_url\` of the answer: \`POST {"ack":[…]}\` with the \`jti\` of those that you have. A poll waits up to 25 seconds unless it says \`returnImmediately\`.`,
      `Read, change and delete it there, too: \`GET\`, \`PATCH\`, \`PUT\`, \`DELETE\` with \`stream_id\`. \`${issuer}/ssf/status\` enables, pauses and disables it; \`${issuer}/ssf/subjects/remove\` and \`add\` leave an account out and take it in again; \`${issuer}/ssf/verification\` sends a verification that repeats your \`state\`, ten a minute.`,
      'What a stream that is paused or polled has not been given after seven days is given up. A stream that has only failed for five days is disabled. Where somebody else than you enables or disables your stream, it is told so by `stream-updated`, whatever it asked for.',
      '## The events',
      signalUris.map((uri) => `- \`${uri}\``).join('\n'),
      'A grant that ended is `session-revoked`: its `sub_id` is complex, with the person as `user`, the grant as `session` and the client as `application`. So is a sign-in, whose `session` is the `sid` of ID tokens. Where a message has two names, a standard one and ours, the standard one is used if you asked for it. `jti` is what webhooks and [events](events.md) have as id; `txn` is the position of the event in the log, the same for all that one event led to.',
      'What secures an account (`credential-change`) is told to streams of the whole platform alone.',
    ),
};
