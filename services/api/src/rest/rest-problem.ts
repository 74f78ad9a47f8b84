import type { PlatformDocument } from '@grantlog/domain';
import { type BearerRefusal, bearerChallenge, ProblemError, problem, resourceMetadataUrl } from '@grantlog/protocol';
import { AgentError, agentErrors } from '../agent/errors.ts';

type Place = { readonly document: PlatformDocument; readonly issuer: string };

/** What begins OAuth in a client that knows how; without a token in the request it names no error (RFC 6750 §3.1). */
const challenge = (error: AgentError, { document, issuer }: Place): string => {
  const code: BearerRefusal = error.code === 'token_expired' ? 'expired_token' : 'invalid_token';
  return bearerChallenge({
    realm: document.name,
    ...(error.presented ? { error: code, ...error.challenge, errorDescription: error.message } : {}),
    resourceMetadata:
      document.mcpServer === null ? `${issuer}/.well-known/oauth-protected-resource` : resourceMetadataUrl(document.mcpServer.resource),
    ...(document.switches.arloChallenges ? { compatibility: 'arlo' } : {}),
  });
};

const ofAgent = (error: AgentError, place: Place): ProblemError => {
  const { code, status, title, message, reason, resolution, retryAfter, headers } = error;
  return new ProblemError(
    problem({
      status,
      type: `urn:grantlog:problem:${code}`,
      title,
      detail: message,
      members: { code, error: code, resolution, ...(retryAfter === null ? {} : { retry_after: retryAfter }) },
    }),
    {
      reason,
      headers: {
        'cache-control': 'no-store',
        ...headers,
        ...(status === 401 ? { 'www-authenticate': challenge(error, place) } : {}),
      },
      cause: error,
    },
  );
};

const { resolution } = agentErrors.invalid_request;

/** A request that the router itself refuses, such as a body that is no JSON: by its own status. */
const ofRouter = (error: Error & { readonly statusCode?: unknown }): ProblemError | null => {
  const { statusCode: status, message } = error;
  if (typeof status !== 'number' || status < 400 || status >= 500) return null;
  const members = { code: 'invalid_request', error: 'invalid_request', resolution };
  const detail = status === 415 ? 'Send JSON, with Content-Type: application/json' : message;
  return new ProblemError(problem({ status, type: 'urn:grantlog:problem:invalid_request', title: 'Invalid request', detail, members }), {
    reason: message,
    headers: { 'cache-control': 'no-store' },
    cause: error,
  });
};

/**
 * Whatever a REST twin fails with, as a problem (RFC 9457) with the documented `error` and its `resolution` in it.
 * What no agent has caused stays as it is.
 */
export const restProblem = (error: unknown, place: Place): unknown => {
  if (error instanceof AgentError) return ofAgent(error, place);
  if (error instanceof ProblemError) {
    if (error.problem['code'] !== 'invalid_request') return error;
    const { reason, headers, problem: wire } = error;
    return new ProblemError({ ...wire, error: 'invalid_request', resolution }, { reason, headers, cause: error });
  }
  return (error instanceof Error ? ofRouter(error) : null) ?? error;
};
