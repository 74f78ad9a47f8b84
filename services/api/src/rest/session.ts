import { endSession } from '../agent/end-session.ts';
import { endSessionResult } from '../agent/schemas.ts';
import type { JsonApi } from '../json-api/json-api.ts';
import { platformParams } from '../json-api/schemas.ts';
import type { RestGate } from './rest-gate.ts';

/** An agent's own session. */
export const sessionRoutes =
  (gate: RestGate) =>
  (app: JsonApi): void => {
    app.delete(
      '/:platform/rest/session',
      {
        ...gate.byToken,
        schema: {
          tags: ['Agents'],
          summary: 'End your own session and every token of it',
          params: platformParams,
          response: { 200: endSessionResult },
        },
      },
      async (request) => endSession(gate.passed(request)),
    );
  };
