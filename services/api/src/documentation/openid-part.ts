import type { PlatformDocument } from '@grantlog/domain';
import { isOpenidProvider } from '../platforms/issuer.ts';
import { paragraphs } from './text-page.ts';

/** What an app that signs people in may ask for besides; null where the platform is no OpenID provider. */
export const signingIn = (document: PlatformDocument, issuer: string): string | null =>
  isOpenidProvider(document) && document.grantTypes.includes('authorization_code')
    ? paragraphs(
        '## Signing people in and out',
        'Ask for `openid` and send a `nonce`; the ID token says who it is (`sub`), when and how they proved it (`auth_time`, `amr`) and in which sign-in (`sid`). `prompt`, `max_age`, `id_token_hint` and the `claims` parameter are taken. With `prompt=none` nothing is shown: you get a code where the person is signed in and has allowed exactly this before, else `login_required`, `consent_required` or `interaction_required`.',
        `To sign a person out here, too, send their browser to \`${issuer}/oauth/end_session\` with \`id_token_hint\` and a registered \`post_logout_redirect_uri\`. To hear of it when they sign out elsewhere, register a \`backchannel_logout_uri\`: it gets a \`logout_token\` with the \`sid\` of your ID token. What the person has allowed outlives either.`,
      ).trimEnd()
    : null;
