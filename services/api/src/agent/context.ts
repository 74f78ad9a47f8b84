import type { PlatformNames } from '@grantlog/provisioning';
import type { ShownToken } from '../access/shown-token.ts';
import type { Deps } from '../deps.ts';

/** One call of an agent, whichever door it came through: an MCP tool or its REST twin. */
export type AgentContext = {
  readonly deps: Deps;
  readonly names: PlatformNames;
  /** From where the agent asks: shown to the person, and what sign-ups are throttled by. */
  readonly from: { readonly address: string; readonly userAgent: string };
  /** The access token as it was shown; null for none. Nothing is proved yet. */
  readonly shown: ShownToken | null;
  readonly requestId: string;
  readonly correlationId: string;
};
