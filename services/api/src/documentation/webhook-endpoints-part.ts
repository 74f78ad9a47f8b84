import type { PlatformDocument } from '@grantlog/domain';
import { paragraphs, table } from './text-page.ts';

/** How a client, or one grant of a person, is told at endpoints of its own. */
export const ownWebhookEndpoints = (document: PlatformDocument, issuer: string): string => {
  const at = `${issuer}/webhooks/endpoints`;
  const own = [issuer, ...(document.mcpServer === null ? [] : [document.mcpServer.resource])].map((each) => `\`${each}\``);
  return paragraphs(
    '## Endpoints of your own',
    `\`POST ${at}\` with an access token registers an endpoint. A token that the client got for itself (\`client_credentials\`) registers for everything that happens to the client's grants or, with \`grants\`, to some of them; up to 20. A token of a person registers for that one grant; up to 5. Each manages what was registered so and sees nothing else: \`GET\`, \`PATCH\`, \`DELETE\` at \`${at}/{endpointId}\`, and \`/secret\`, \`/webhook-token\`, \`/headers\`, \`/test\`, \`/enable\`, \`/disable\` below it. The token names no resource, or ${own.join(' or ')}.`,
    table(
      ['Field', 'Meaning'],
      [
        [
          '`url`',
          `Where to send${document.webhooks.allowLoopback ? '' : ': https'}, on a public address. Another one is another receiver: it is sent neither the token nor the headers of the one before.`,
        ],
        [
          '`types`',
          `Types that [are listed](${issuer}/webhooks/event-types), or all of a kind, such as \`grant.*\`; all of them where it is left out.`,
        ],
        ['`ordered`', 'The messages about one grant one after another, each once the one before has arrived or was given up.'],
        ['`skipSuperseded`', 'What still waits is left out where a later message about the same grant has made it stale.'],
        [
          '`concurrency`, `ratePerSecond`',
          'Requests under way at once, 8 unless given, and requests a second; what is more waits and none is lost.',
        ],
        [
          '`signature`',
          '`v1` (a shared `whsec_` secret, unless given) or `v1a` (Ed25519, `whpk_`). What you verify with is shown at the registration and at each rotation.',
        ],
        ['`webhookToken`', 'Yours, random. Every request carries it as `Authorization: Bearer`, besides its signature.'],
        [
          '`headers`',
          'At most 20 of yours, of 64 characters and 4 KiB; none that is ours or of the connection. Values are never shown again. `PUT …/headers` replaces all of them.',
        ],
      ],
    ),
    'To rotate, `POST …/secret` or `POST …/webhook-token` with `overlapSeconds`, a week at most and a day unless given: until then both secrets sign, and a receiver that answers the new token with 401 or 403 is offered the previous one. There are never more than two; to rotate again within that time ends the oldest at once.',
    'Nothing but what proves the URL is sent before it has answered with 2xx. `POST …/test` sends `webhook_endpoint.test`, ten times a minute at most. When a grant ends, its endpoints are told so.',
  ).trimEnd();
};
