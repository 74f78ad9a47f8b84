import { getWebhookStatus } from '../agent/get-webhook-status.ts';
import { registerWebhook } from '../agent/register-webhook.ts';
import { getWebhookStatusInput, getWebhookStatusResult, registerWebhookInput, registerWebhookResult } from '../agent/schemas.ts';
import type { JsonApi } from '../json-api/json-api.ts';
import { platformParams } from '../json-api/schemas.ts';
import type { RestGate } from './rest-gate.ts';

const tags = ['Agents'];

/** The REST twins of `register_webhook` and `get_webhook_status`. */
export const webhookRoutes =
  (gate: RestGate) =>
  (app: JsonApi): void => {
    app.post(
      '/:platform/rest/webhook',
      {
        ...gate.byToken,
        schema: {
          tags,
          summary: 'Register a webhook for your session, or change the one of the same sessionKey; a signing secret is shown once, here',
          params: platformParams,
          body: registerWebhookInput,
          response: { 200: registerWebhookResult, 201: registerWebhookResult },
        },
      },
      async (request, reply) => {
        const registered = await registerWebhook(gate.passed(request), request.body, { showSecret: true });
        return reply.code(registered.created ? 201 : 200).send(registered);
      },
    );

    app.get(
      '/:platform/rest/webhook',
      {
        ...gate.byToken,
        schema: {
          tags,
          summary: 'The webhooks of your session, or the one of a sessionKey',
          params: platformParams,
          querystring: getWebhookStatusInput,
          response: { 200: getWebhookStatusResult },
        },
      },
      async (request) => getWebhookStatus(gate.passed(request), request.query),
    );
  };
