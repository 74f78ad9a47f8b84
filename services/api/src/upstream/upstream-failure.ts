import { OAuthError } from '@grantlog/protocol';
import type { Upstream } from './find-upstream.ts';

const causes = (error: unknown): readonly Error[] => (error instanceof Error ? [error, ...causes(error.cause)] : []);

const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : error.message);

const timeouts: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT']);

/** As Node names what is wrong with a certificate; each is for the operator of the upstream to mend. */
const distrusted: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

const whatHappened = (code: string): { readonly told: string; readonly fix: string } => {
  if (timeouts.has(code)) return { told: 'took too long to answer', fix: '' };
  if (!distrusted.has(code)) return { told: 'does not answer', fix: '' };
  return {
    told: 'has a certificate that is not trusted, so nothing was sent to it',
    fix: '. Give it a certificate for its host name, and name the authority that signed it in NODE_EXTRA_CA_CERTS of this service',
  };
};

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
  const { told, fix } = whatHappened(code);
  return new OAuthError('temporarily_unavailable', {
    status: timeouts.has(code) ? 504 : 502,
    description: `The resource behind this path ${told}. The authorization server is up; the resource is operated apart from it`,
    reason: `the upstream ${url} of the resource ${resource.uri} failed: ${code}${fix}`,
    cause: error,
  });
};
