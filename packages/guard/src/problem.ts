/**
 * Something that an operator has to know of, because it makes the guard, or a receiver, answer 503.
 *
 * - `wrong_issuer`: the metadata at the configured issuer is another issuer's.
 * - `unusable_metadata`: it lacks what the guard needs.
 * - `client_refused`: the authorization server does not accept this resource server's own credentials.
 * - `unreachable`: it did not answer in time, or with an error of its own.
 * - `unusable_answer`: it answered with something that is not what the protocol allows.
 * - `no_client_address`: HTTP Basic came in, and the resource server did not say from where.
 * - `no_request`: a token with a proof of possession came in, and the resource server did not show the request.
 * - `proofs_not_kept`: nobody can tell whether a proof was used before.
 * - `webhooks_not_kept`: nobody can tell whether a webhook, or a security event, was handled before.
 */
export type GuardProblem = {
  readonly kind:
    | 'wrong_issuer'
    | 'unusable_metadata'
    | 'client_refused'
    | 'unreachable'
    | 'unusable_answer'
    | 'no_client_address'
    | 'no_request'
    | 'proofs_not_kept'
    | 'webhooks_not_kept';
  /** What is wrong and what to fix. Holds no secret, no token and no password. */
  readonly message: string;
};

export type OnProblem = (problem: GuardProblem) => void;

const quietMs = 60_000;

const warn: OnProblem = ({ kind, message }) => process.emitWarning(message, { type: 'GuardProblem', code: kind });

/** Tells of each kind of problem at most once a minute: a server that is away is away for every request. */
export const createReporter = (onProblem: OnProblem = warn, now: () => number): OnProblem => {
  const toldAt = new Map<GuardProblem['kind'], number>();
  return (problem) => {
    const last = toldAt.get(problem.kind);
    if (last !== undefined && now() - last < quietMs && now() >= last) return;
    toldAt.set(problem.kind, now());
    try {
      onProblem(problem);
    } catch (error) {
      // Whoever logs must not decide about requests.
      process.emitWarning(`onProblem failed: ${error instanceof Error ? error.name : 'it threw'}`, { type: 'GuardProblem' });
    }
  };
};
