import type { ChallengeCompatibility } from '@grantlog/protocol';
import { readIssuerMetadata } from './issuer-metadata.ts';
import type { Settings } from './options.ts';
import type { OnProblem } from './problem.ts';
import { isSecureUrl } from './secure-url.ts';

/** What a guard needs to know of its authorization server. */
export type AuthorizationServer = {
  readonly introspectionEndpoint: string;
  /** Where HTTP Basic credentials are judged; null where the platform does not take them. */
  readonly basicValidationEndpoint: string | null;
  /** Where the object that a grant is for is changed; null where the platform's grants have none. */
  readonly grantContextEndpoint: string | null;
  readonly compatibility: ChallengeCompatibility | undefined;
};

const keptMs = 5 * 60_000;

const readServer = async (settings: Settings, report: OnProblem): Promise<AuthorizationServer | null> => {
  const read = await readIssuerMetadata(settings, report);
  if (read === null) return null;
  const { url, metadata } = read;
  const { introspection_endpoint, basic_validation_endpoint, grant_context_endpoint, challenge_compatibility } = metadata;
  if (!isSecureUrl(introspection_endpoint)) {
    report({ kind: 'unusable_metadata', message: `The metadata at ${url} names no introspection_endpoint under https` });
    return null;
  }
  if (basic_validation_endpoint !== undefined && !isSecureUrl(basic_validation_endpoint)) {
    report({ kind: 'unusable_metadata', message: `The metadata at ${url} names a basic_validation_endpoint that is not under https` });
    return null;
  }
  return {
    introspectionEndpoint: introspection_endpoint,
    basicValidationEndpoint: basic_validation_endpoint ?? null,
    grantContextEndpoint: isSecureUrl(grant_context_endpoint) ? grant_context_endpoint : null,
    compatibility: challenge_compatibility === 'arlo' ? 'arlo' : undefined,
  };
};

/**
 * Knows the authorization server by its metadata: read when first needed and again after five minutes, by one request at a
 * time. Null while it cannot be read; what was read before is not used longer for that.
 *
 * @see RFC 8414 §3
 */
export const createDiscovery = (settings: Settings, report: OnProblem): (() => Promise<AuthorizationServer | null>) => {
  let known: { readonly server: AuthorizationServer; readonly readAt: number } | null = null;
  let reading: Promise<AuthorizationServer | null> | null = null;

  const read = async (): Promise<AuthorizationServer | null> => {
    try {
      const server = await readServer(settings, report);
      known = server === null ? null : { server, readAt: settings.now() };
      return server;
    } finally {
      reading = null;
    }
  };

  return () => {
    const age = known === null ? keptMs : settings.now() - known.readAt;
    if (known !== null && age >= 0 && age < keptMs) return Promise.resolve(known.server);
    reading ??= read();
    return reading;
  };
};
