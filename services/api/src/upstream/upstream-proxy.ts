import type { Readable } from 'node:stream';
import replyFrom from '@fastify/reply-from';
import { parsePlatformId, platformStream } from '@grantlog/domain';
import { foreignPageRefusal, isSentByForeignPage, OAuthError } from '@grantlog/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import type { PathMethods } from '../http/path-methods.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldPlatform } from '../platforms/load-parties.ts';
import { bodyLimit, bodyTooLarge, boundedBody } from './bounded-body.ts';
import { findUpstream, type Upstream } from './find-upstream.ts';
import { isPlainPath } from './is-plain-path.ts';
import { requestHeaders } from './request-headers.ts';
import { responseHeaders } from './response-headers.ts';
import { upstreamFailure } from './upstream-failure.ts';

type Found = { readonly upstream: Upstream; readonly issuer: string; readonly status: 'active' | 'suspended' };

// Not TRACE: it would read our own headers back to whoever asks (RFC 9110 §9.3.8).
const methods = ['HEAD', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

const defaultPatience = 25_000;

/** The path and the query as they came, the query with its question mark. */
const splitUrl = (url: string): { readonly path: string; readonly query: string } => {
  const [, path = '', query = ''] = /^([^?#]*)(\?[^#]*)?/.exec(url) ?? [];
  return { path, query };
};

const find = async (deps: Pick<Deps, 'config' | 'log' | 'hosts'>, request: FastifyRequest, path: string): Promise<Found | null> => {
  const { platform: name = '' } = request.params as { readonly platform?: string };
  const platform = parsePlatformId(name);
  if (platform === null || !path.startsWith(`/${platform}/`) || !deps.hosts.isHome(platform, request.raw)) return null;
  const state = foldPlatform(await deps.log.load(platform, [{ streamId: platformStream }]));
  if (state.status === 'none') return null;
  const issuer = issuerOf(state.document, deps.config.publicUrl);
  const upstream = findUpstream({ document: state.document, issuer, path: path.slice(platform.length + 1) });
  return upstream === null ? null : { upstream, issuer, status: state.status };
};

/** @throws OAuthError for a request that no resource is bothered with. */
const check = (request: FastifyRequest, { upstream, status }: Found): void => {
  if (!isPlainPath(upstream.rest)) {
    throw new OAuthError('invalid_request', {
      description:
        'No segment of the path may be a dot, or begin or end with two; escaped slashes, backslashes, control characters and broken escapes may not stand in it',
      reason: 'the path below the resource is not plain',
    });
  }
  if (status === 'suspended')
    throw new OAuthError('temporarily_unavailable', { description: 'This platform is suspended by its operator' });
  if ((request.raw.headersDistinct['authorization'] ?? []).length > 1) {
    // Node shows the first alone, and whatever stands before us may have looked at another.
    throw new OAuthError('invalid_request', { description: 'There must be one Authorization header at most' });
  }
  if (/^basic(?: |$)/i.test(request.headers.authorization ?? '') && isSentByForeignPage(request)) {
    throw new OAuthError('access_denied', {
      status: 403,
      description: foreignPageRefusal,
      reason: 'a page of another origin sent HTTP Basic',
    });
  }
  if (Number(request.headers['content-length'] ?? 0) > bodyLimit) throw bodyTooLarge();
};

/**
 * Passes what lies under the URI of a resource with an `upstream` on to it, so that one origin serves a platform and its
 * API: any method, any body, credentials included, which the resource judges with its own guard. Cookies pass in neither
 * direction. Everything that another route has, and everything that no resource has, is answered as if this were not here.
 *
 * @param deps.upstreamPatience milliseconds until the resource must have begun to answer, and between two pieces of its
 *   answer; default 25,000. A client that leaves earlier ends an answer that has begun; one that has not is given up then.
 */
export const upstreamProxy =
  (
    deps: Pick<Deps, 'config' | 'log' | 'hosts'> & {
      readonly methodsOf: (path: string) => PathMethods | null;
      readonly upstreamPatience?: number;
    },
  ) =>
  async (app: FastifyInstance): Promise<void> => {
    const patience = deps.upstreamPatience ?? defaultPatience;
    await app.register(async (scope) => {
      // A scope of its own: bodies are passed on as they come, and nothing here reads a form.
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', async (_request: FastifyRequest, payload: Readable) => payload);
      await scope.register(replyFrom, {
        disableCache: true,
        disableRequestLogging: true,
        destroyAgent: true,
        // Without the word it would take any certificate.
        undici: { connect: { timeout: 10_000, rejectUnauthorized: true }, headersTimeout: patience, bodyTimeout: patience },
      });
      // An answer may still fail between its headers and its first byte, where the library tells nobody but the error handler.
      const passedOn = new WeakMap<FastifyRequest, Upstream>();
      scope.setErrorHandler((error, request) => {
        const upstream = passedOn.get(request);
        throw upstream === undefined ? error : upstreamFailure(error, upstream);
      });
      const pass = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
        const { path, query } = splitUrl(request.url);
        const known = deps.methodsOf(path);
        // A route that has path and method gives way only where a parameter is longer than the router reads.
        if (known?.methods.includes(request.method) === true)
          throw new OAuthError('invalid_request', { description: 'The path of this request cannot be read' });
        const found = known === null ? await find(deps, request, path) : null;
        if (found === null) {
          reply.callNotFound();
          return reply;
        }
        check(request, found);
        const { upstream, issuer } = found;
        if (request.body !== undefined) request.body = boundedBody(request.body as Readable); // the parser above
        passedOn.set(request, upstream);
        return reply.from(upstream.url + upstream.rest, {
          queryString: () => query.slice(1),
          // A request is passed on once: whether to ask again is for the client to say.
          retryDelay: () => null,
          rewriteRequestHeaders: (_, headers) => requestHeaders(request, headers, issuer),
          rewriteHeaders: (headers) => responseHeaders(headers, upstream),
          onError: (failed, { error }) => void failed.send(upstreamFailure(error, upstream)),
          onResponse: (_, answer, { stream }) => {
            // It may say the length of what it stands for (RFC 9110 §8.6), and the library misses that body.
            if (answer.statusCode !== 304) return answer.send(stream);
            (stream as unknown as Readable).on('error', () => {}).resume(); // undici's body
            return answer.send();
          },
        });
      };
      for (const method of methods) {
        scope.route({
          method,
          url: '/:platform/*',
          // As of every other path, the description shows GET alone.
          ...(method === 'HEAD' ? { schema: { hide: true } } : {}),
          config: { authentication: 'upstream', errors: 'oauth' },
          // For the whole answer, which a client may read slowly; the resource has to begin it within its patience.
          handlerTimeout: 120_000,
          handler: pass,
        });
      }
    });
  };
