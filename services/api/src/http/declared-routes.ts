import type { FastifyInstance } from 'fastify';

/** A route does not say how it knows its caller. */
export class RouteUndeclared extends Error {
  override readonly name = 'RouteUndeclared';
}

/** Lets no route come to be that does not declare how it knows its caller: who forgot it finds out at the start. */
export const requireDeclarations = (app: FastifyInstance): void => {
  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.authentication === undefined) throw new RouteUndeclared(`${[method].flat().join(', ')} ${url} declares no authentication`);
  });
};
