import type { FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import { admitReceiver, type SignalPassage } from './signal-door.ts';

/** How the routes of receivers let them in, before a body is read, and remember whom. */
export const receiverRoute = (deps: Deps) => {
  const passages = new WeakMap<FastifyRequest, SignalPassage>();
  return {
    route: (need: 'read' | 'manage') =>
      ({
        config: { authentication: 'bearer', errors: 'problem' },
        onRequest: async (request: FastifyRequest) => void passages.set(request, await admitReceiver(deps, request, need)),
      }) as const,
    passed: (request: FastifyRequest): SignalPassage => {
      const passage = passages.get(request);
      if (passage === undefined) throw new Error('a route of security events does not ask at its door');
      return passage;
    },
  };
};
