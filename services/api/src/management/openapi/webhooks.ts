import { eventTypes } from '@grantlog/domain';

const header = (name: string, description: string, required = true) => ({
  name,
  in: 'header',
  required,
  description,
  schema: { type: 'string' },
});

/** @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
const headers = [
  header('webhook-id', 'The same whenever the same event comes again: handle it once'),
  header('webhook-timestamp', 'When this request was made; whole seconds since the epoch. Refuse one that is five minutes off'),
  header(
    'webhook-signature',
    'Over `{webhook-id}.{webhook-timestamp}.{body}`; several are parted by spaces, and one that is good is enough',
  ),
  header('webhook-key-id', "The `kid` of the platform's key in its JWKS, where that has signed as well", false),
  header('traceparent', 'W3C Trace Context: the trace of what caused the event, the same at each attempt, with a span of its own for each'),
];

const responses = {
  '2XX': { description: 'Got it: answer within a few seconds and work afterwards' },
  '410': { description: 'Gone: the endpoint is disabled' },
  default: { description: 'Failed: tried again for three days' },
};

/** What this server sends to webhook endpoints (OpenAPI 3.1 §4.8.1). */
export const webhooks = Object.fromEntries(
  eventTypes.map(({ type, description, schema, example }) => {
    const operation = {
      operationId: `webhook_${type.replaceAll('.', '_')}`,
      summary: type,
      description,
      tags: ['Webhooks'],
      security: [{ webhook: [] }, {}],
      parameters: headers,
      requestBody: { required: true, content: { 'application/json': { schema, example } } },
      responses,
    };
    return [type, { post: operation }];
  }),
);
