import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.ts';
import { type JsonApi, registerJsonApi } from '../json-api/json-api.ts';
import { createRestGate } from './rest-gate.ts';
import { sessionRoutes } from './session.ts';
import { signupRoutes } from './signup.ts';
import { webhookRoutes } from './webhook.ts';

/** What agents can do by MCP tools, over plain HTTP: on platforms where they sign people up. */
export const restApi =
  (deps: Deps) =>
  (app: FastifyInstance): Promise<void> => {
    const gate = createRestGate(deps);
    const wordErrors = (api: JsonApi): void => void api.setErrorHandler((error, request) => gate.answer(error, request));
    return registerJsonApi(app, wordErrors, signupRoutes(gate), webhookRoutes(gate), sessionRoutes(gate));
  };
