import { ProblemError, problem } from '@grantlog/protocol';

/** A refusal for a time: 429, with the whole seconds to wait in Retry-After. */
export const tooMany = ({ detail, retryAfter }: { readonly detail: string; readonly retryAfter: number }): ProblemError =>
  new ProblemError(
    problem({
      status: 429,
      type: 'urn:grantlog:problem:too_many_requests',
      title: 'Too many requests',
      detail: `${detail}; wait as long as Retry-After says`,
      members: { code: 'too_many_requests' },
    }),
    { reason: 'too_many_requests', headers: { 'retry-after': String(retryAfter), 'cache-control': 'no-store' } },
  );
