import Type from 'typebox';
import { checkAccountStatus } from '../agent/check-account-status.ts';
import { initSignup } from '../agent/init-signup.ts';
import { checkAccountStatusResult, initSignupInput, initSignupResult, signupStatusInput } from '../agent/schemas.ts';
import type { JsonApi } from '../json-api/json-api.ts';
import { platformParams } from '../json-api/schemas.ts';
import type { RestGate } from './rest-gate.ts';

const tags = ['Agents'];

/** The REST twins of `init_signup` and of `check_account_status`. */
export const signupRoutes =
  (gate: RestGate) =>
  (app: JsonApi): void => {
    app.post(
      '/:platform/rest/signup',
      {
        ...gate.open,
        schema: {
          tags,
          summary: 'Begin to sign a person up: a link for them, and a sessionId to poll with (the tool init_signup)',
          params: platformParams,
          body: initSignupInput,
          response: { 201: initSignupResult },
        },
      },
      async (request, reply) => reply.code(201).send(await initSignup(gate.passed(request), request.body, { showSecret: true })),
    );

    app.post(
      '/:platform/rest/signup/status',
      {
        ...gate.bySessionId,
        schema: {
          tags,
          summary: 'How a sign-up stands, by its sessionId; more of it with the access token of its session',
          params: platformParams,
          body: signupStatusInput,
          response: { 200: checkAccountStatusResult },
        },
      },
      async (request) => checkAccountStatus(gate.passed(request), request.body),
    );

    app.get(
      '/:platform/rest/signup/:sessionId',
      {
        ...gate.bySessionId,
        schema: {
          tags,
          summary: 'The same with the sessionId in the path: redacted in our logs, and nowhere on the way; prefer POST',
          params: Type.Object({ ...platformParams.properties, ...signupStatusInput.properties }),
          response: { 200: checkAccountStatusResult },
        },
      },
      async (request) => checkAccountStatus(gate.passed(request), { sessionId: request.params.sessionId }),
    );

    app.get(
      '/:platform/rest/account-status',
      {
        ...gate.byToken,
        schema: {
          tags,
          summary: 'Whom the access token stands for, and the session that it belongs to (check_account_status without a sessionId)',
          params: platformParams,
          response: { 200: checkAccountStatusResult },
        },
      },
      async (request) => checkAccountStatus(gate.passed(request), {}),
    );
  };
