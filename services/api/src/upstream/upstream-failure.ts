import { OAuthError } from '@grantlog/protocol';
import type { Upstream } from './find-upstream.ts';

const causes = (error: unknown): readonly Error[] => (error instanceof Error ? [error, ...causes(error.cause)] : []);

const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : error.message);

const timeouts: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT']);

/**
 * What a client is told when a resource did not answer: 504 when its time ran out, else 502, and never that it was us.
 * A refusal of our own that broke the passing off comes back as it is. Neither path nor query is in any of it.
 */
export const upstreamFailure = (error: unknown, { resource, url }: Upstream): OAuthError => {
  const chain = causes(error);
  const ours = chain.find((each) => each instanceof OAuthError);
  if (ours !== undefined) return ours;
  const root = chain.at(-1);
  const code = root === undefined ? 'an unknown failure' : codeOf(root);
  const late = timeouts.has(code);
  return new OAuthError('temporarily_unavailable', {
    status: late ? 504 : 502,
    description: `The resource behind this path ${late ? 'took too long to answer' : 'does not answer'}. The authorization server is up; the resource is operated apart from it`,
    reason: `the upstream ${url} of the resource ${resource.uri} failed: ${code}`,
    cause: error,
  });
};
