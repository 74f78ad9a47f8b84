import type { AgentSignUp, PlatformDocument } from '@grantlog/domain';
import { OAuthError } from '@grantlog/protocol';
import { PathNotOnPlatform } from '../http/require-switch.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import type { AgentContext } from './context.ts';

/** A platform on which agents sign people up. */
export type SignUpPlatform = { readonly document: PlatformDocument; readonly agentSignUp: AgentSignUp; readonly issuer: string };

/**
 * @throws PathNotOnPlatform where agents cannot begin a sign-up; answered with 404.
 * @throws OAuthError `temporarily_unavailable` while the platform is suspended: agents keep what they have.
 */
export const openSignUp = async ({ deps, names }: Pick<AgentContext, 'deps' | 'names'>): Promise<SignUpPlatform> => {
  const state = foldPlatform(await deps.log.load(names.platform, platformStreams));
  if (state.status === 'none' || state.document.agentSignUp === null)
    throw new PathNotOnPlatform(`${names.platform} has no sign-up by agents`);
  if (state.status === 'suspended')
    throw new OAuthError('temporarily_unavailable', { description: 'This platform is suspended by its operator' });
  const { document } = state;
  return { document, agentSignUp: state.document.agentSignUp, issuer: issuerOf(document, deps.config.publicUrl) };
};
