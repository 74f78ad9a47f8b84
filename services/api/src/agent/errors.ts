import type { BearerChallenge } from '@grantlog/protocol';
import Type, { type Static } from 'typebox';

/** What an operation refuses with; the first four are those that agents are documented to meet. */
export type AgentErrorCode =
  | 'not_authenticated'
  | 'token_expired'
  | 'invalid_grant'
  | 'session_revoked'
  | 'invalid_request'
  | 'slow_down'
  | 'rate_limited';

type Wording = { readonly status: 400 | 401 | 429; readonly title: string; readonly resolution: string };

/** Each code's one HTTP status, and what an agent should do about it: the same by REST and by MCP. */
export const agentErrors: Readonly<Record<AgentErrorCode, Wording>> = {
  not_authenticated: {
    status: 401,
    title: 'No valid session',
    resolution: 'Call init_signup, let the person open authUrl, and redeem sessionId for tokens when check_account_status says complete.',
  },
  token_expired: {
    status: 401,
    title: 'The access token has expired',
    resolution: 'Refresh it at the token endpoint (grant_type=refresh_token). Where that answers invalid_grant too, call init_signup.',
  },
  invalid_grant: {
    status: 400,
    title: 'What was presented is good for no tokens',
    resolution: 'Re-authenticate: call init_signup and let the person open the new authUrl.',
  },
  session_revoked: {
    status: 401,
    title: 'Access was revoked',
    resolution: 'Throw the tokens away and re-authenticate: call init_signup, if the person still wants the connection.',
  },
  invalid_request: {
    status: 400,
    title: 'Invalid request',
    resolution: 'Correct what is named and ask again; nothing was done.',
  },
  slow_down: {
    status: 429,
    title: 'Polled too fast',
    resolution: 'Wait for as many seconds as interval says between two polls. The session is still there.',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    resolution: 'Wait for as many seconds as Retry-After says, then ask again.',
  },
};

/** An error as a tool's structured content says it; a problem (RFC 9457) has the same members besides its own. */
export const agentErrorBody = Type.Object({
  error: Type.Enum(Object.keys(agentErrors) as AgentErrorCode[]),
  error_description: Type.String({ description: 'What was wrong with this call' }),
  resolution: Type.String({ description: 'What to do about it' }),
  status: Type.Integer({ description: 'The HTTP status of the same error over REST' }),
  retry_after: Type.Optional(Type.Integer({ description: 'Seconds' })),
});

export type AgentErrorBody = Static<typeof agentErrorBody>;

/**
 * A refusal of an operation. `message` is fixed text that the agent reads; `reason` is for the log alone.
 *
 * `presented` says whether the refusal is of a token that came along: a challenge names `invalid_token` then, and no
 * error at all where none came (RFC 6750 §3.1).
 */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly code: AgentErrorCode;
  readonly status: Wording['status'];
  readonly title: string;
  readonly resolution: string;
  readonly reason: string;
  /** Seconds; null where waiting changes nothing. */
  readonly retryAfter: number | null;
  readonly presented: boolean;
  /** What its challenge says where not the token alone is refused, but how it was shown (RFC 9449 §7.1). */
  readonly challenge: Pick<BearerChallenge, 'error' | 'dpop'>;

  constructor(
    code: AgentErrorCode,
    message: string,
    details: {
      readonly reason?: string;
      readonly retryAfter?: number;
      readonly presented?: boolean;
      readonly challenge?: Pick<BearerChallenge, 'error' | 'dpop'>;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    const { status, title, resolution } = agentErrors[code];
    this.code = code;
    this.status = status;
    this.title = title;
    this.resolution = resolution;
    this.reason = details.reason ?? message;
    this.retryAfter = details.retryAfter ?? null;
    this.presented = details.presented ?? false;
    this.challenge = details.challenge ?? {};
  }

  /** What every door answers besides the body. */
  get headers(): Readonly<Record<string, string>> {
    return this.retryAfter === null ? {} : { 'retry-after': String(this.retryAfter) };
  }

  get body(): AgentErrorBody {
    return {
      error: this.code,
      error_description: this.message,
      resolution: this.resolution,
      status: this.status,
      ...(this.retryAfter === null ? {} : { retry_after: this.retryAfter }),
    };
  }
}
