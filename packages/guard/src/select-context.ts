import { askRefusably } from './ask-as-client.ts';
import type { AuthorizationServer } from './discovery.ts';
import { isText } from './members.ts';
import type { Asking } from './options.ts';
import type { OnProblem } from './problem.ts';

/** Why the object of a grant stays as it is; `description` is what the authorization server says of it. */
export type ContextRefusal = {
  readonly kind: 'refused';
  /** `unavailable`: nobody can tell; ask again. `unsupported`: the platform's grants have no such choice. */
  readonly reason: 'unknown_context' | 'context_pinned' | 'invalid_token' | 'unsupported' | 'unavailable';
  readonly description: string;
};

export type ContextSelected = { readonly kind: 'selected'; readonly context: string; readonly previous: string | null };

const refused = (reason: ContextRefusal['reason'], description: string): ContextRefusal => ({ kind: 'refused', reason, description });

/** What there is to say while the authorization server cannot be asked. */
export const undecided = refused('unavailable', 'The change could not be recorded; try again later');

const told: readonly string[] = ['unknown_context', 'context_pinned', 'invalid_token'];

/** Asks the authorization server to change what the grant of a token is for. It records the change, and every later token has it. */
export const selectContext = async (
  asking: { readonly settings: Asking; readonly server: AuthorizationServer; readonly report: OnProblem },
  change: { readonly token: string; readonly context: string },
): Promise<ContextSelected | ContextRefusal> => {
  const { settings, server, report } = asking;
  const url = server.grantContextEndpoint;
  if (url === null) return refused('unsupported', 'The grants of this platform have no context');
  const answer = await askRefusably(settings, report, url, new URLSearchParams({ token: change.token, context: change.context }));
  if (answer.kind === 'unavailable') return undecided;
  const { body } = answer;
  if (answer.kind === 'refused') {
    const reason = told.find((each) => each === body['error']);
    if (reason !== undefined)
      return refused(reason as ContextRefusal['reason'], isText(body['error_description']) ? body['error_description'] : reason);
  } else if (body['context'] === change.context) {
    return { kind: 'selected', context: change.context, previous: isText(body['previous_context']) ? body['previous_context'] : null };
  }
  report({ kind: 'unusable_answer', message: `${url} does not say what the context is` });
  return undecided;
};
