import { lasting, paragraphs, type TextPage, table } from './text-page.ts';

/** How to ask for events instead of being told. */
export const eventsPage: TextPage = {
  slug: 'events',
  title: 'Events',
  about: 'How to ask for what webhooks tell: after having been away, or where nothing can be received',
  isFor: () => true,
  write: ({ document, issuer }) =>
    paragraphs(
      '# Events',
      `\`GET ${issuer}/events\` answers what webhooks tell, for whoever comes and asks: the same ids and the same bodies, in the order in which things happened. Nobody has to register for it. What was told is kept for 30 days.`,
      '`{"events":[{"id":…,"type":…,"timestamp":…,"data":{…}}],"next":…,"more":…}`: each event is the body of its webhook and, as `id`, what the webhook has as `webhook-id`, so that whoever takes both handles each once. What an endpoint gave to be repeated, such as `deliveryContext`, is in webhooks alone.',
      table(
        ['Parameter', 'Meaning'],
        [
          [
            '`after`',
            'Where to go on: the `next` of the page before, the `id` of the last event that you have, or a position, such as `data.position` of any event. `latest` gives nothing but the cursor of now. Without it, from the oldest event that is kept.',
          ],
          [
            '`types`',
            `[Event types](${issuer}/webhooks/event-types), parted by commas; \`grant.*\` is all that begin so. A page of rare types may be empty and have \`more\`: ask again at once.`,
          ],
          ['`limit`', 'Most events of a page, 1 to 500; 100 by default.'],
          ['`wait`', 'Seconds, up to 30: where there is nothing, the answer comes as soon as there is.'],
        ],
      ),
      'Keep `next`, also of an empty page: it moves on although nothing concerned you, so it does not grow old. Going on from it, or from the last id, skips nothing and gives nothing twice.',
      'A cursor that nobody can go on from is answered with 410 and `cursor_gone`: older than what is kept, of no event of yours, or from before the server lost data and was restored. What came between cannot be told again: read anew what you keep of grants and sessions, and go on with the `after` that the answer names. A `next` knows the log that it is of; a bare position does not, and after a restore it may stand for other events.',
      '## As a stream',
      `With \`Accept: text/event-stream\` the same URL is a stream of server-sent events (WHATWG HTML): \`id\` is the event's id, \`event\` its type, \`data\` its body. Connect again with \`Last-Event-ID\`, which counts more than \`after\`. A comment every 15 seconds says that the stream lives. It ends after a quarter of an hour, with the token, or when the server stops: the last event is called \`end\`, its \`data\` has the \`reason\`, and its \`id\` is where to go on. \`EventSource\` of browsers cannot send an access token; use \`fetch\`.`,
      '## Who sees what',
      table(
        ['Access token', 'Events'],
        [
          ['of a client by itself (`client_credentials`)', 'what concerns the client: its grants, its sessions, itself'],
          ["of a grant that came from an agent's session", 'of that session and that grant'],
          ["of a person's other grants", 'of that grant'],
          ["an operator's: of the system platform, with the scope `manage` and a role for this platform", 'all of the platform'],
        ],
      ),
      `It is shown in the Authorization header, with a DPoP proof where it is bound to a key. One for a resource other than this server${document.mcpServer === null ? '' : ' or its MCP server'} is refused; ask for one with \`resource=${issuer}\` (RFC 8707) where the platform has a resource that yours are for by themselves. It lives ${lasting(document.lifetimes.accessTokenSeconds)} at most; a stream and a request that waits end with it.`,
      "**A token cannot read of its own end**: once a grant is revoked its token is answered 401, and that is how its bearer learns of it here. To be told of `grant.revoked`, use the client's own token, or a webhook.",
      'So many requests and streams may wait at once: 429 (`too_many_waiting`) says that yours are too many, 503 (`waiting_room_full`) that all are; `Retry-After` says when to ask again.',
    ),
};
