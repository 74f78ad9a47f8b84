/** A problem as management endpoints word it. Further members describe the case in hand. */
export type Problem = {
  /** A URI that names the kind of problem; `about:blank` means that the status says it all. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly instance?: string;
  readonly [member: string]: unknown;
};

export const problemMediaType = 'application/problem+json';

/**
 * Builds a problem; absent members are left out. Members cannot replace the standard ones.
 *
 * @see RFC 9457 §3
 */
export const problem = (details: {
  readonly status: number;
  readonly title: string;
  readonly type?: string;
  readonly detail?: string;
  readonly instance?: string;
  readonly members?: Readonly<Record<string, unknown>>;
}): Problem => ({
  ...details.members,
  type: details.type ?? 'about:blank',
  title: details.title,
  status: details.status,
  ...(details.detail === undefined ? {} : { detail: details.detail }),
  ...(details.instance === undefined ? {} : { instance: details.instance }),
});

/** A refusal that a management endpoint answers with a problem; `reason` is for the log alone and defaults to its detail. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    wire: Problem,
    details: { readonly reason?: string; readonly headers?: Readonly<Record<string, string>>; readonly cause?: unknown } = {},
  ) {
    const reason = details.reason ?? wire.detail ?? wire.title;
    super(`${wire.status} ${wire.title}: ${reason}`, details.cause === undefined ? undefined : { cause: details.cause });
    this.problem = wire;
    this.reason = reason;
    this.headers = details.headers ?? {};
  }
}
