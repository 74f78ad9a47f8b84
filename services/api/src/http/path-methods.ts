import type { FastifyInstance } from 'fastify';
import type { ErrorStyle } from './route-authentication.ts';

export type PathMethods = {
  /** Sorted; as `Allow` lists them (RFC 9110 §10.2.1). */
  readonly methods: readonly string[];
  readonly errors: ErrorStyle;
};

/** A route's path as a pattern: a parameter is one segment, a star the rest. */
const patternOf = (route: string): RegExp =>
  new RegExp(
    `^${route
      .replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll(/:[A-Za-z]+/g, '[^/]+')
      .replaceAll('*', '.*')}$`,
  );

/**
 * Watches which routes come to be, and tells of a path which methods it has; null where it has none.
 * Whoever asked with another method is answered 405, and not that nothing is there.
 */
export const watchMethods = (app: FastifyInstance): ((path: string) => PathMethods | null) => {
  const routes = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string>; readonly errors: ErrorStyle }>();
  app.addHook('onRoute', ({ url, method, config }) => {
    // It takes whatever no other route has, so it says of no path that it is there.
    if (config?.authentication === 'upstream') return;
    const known = routes.get(url) ?? { pattern: patternOf(url), methods: new Set<string>(), errors: config?.errors ?? 'oauth' };
    for (const each of [method].flat()) known.methods.add(each);
    routes.set(url, known);
  });
  return (path) => {
    const found = [...routes.values()].filter(({ pattern }) => pattern.test(path));
    const [first] = found;
    if (first === undefined) return null;
    return { methods: [...new Set(found.flatMap(({ methods }) => [...methods]))].sort(), errors: first.errors };
  };
};
