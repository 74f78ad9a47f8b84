import { OAuthError } from './oauth-error.ts';

/** What the client asks of the person: nothing at all, or any of these steps even where they could be skipped. */
export type Prompt =
  | { readonly kind: 'silent' }
  | { readonly kind: 'interactive'; readonly steps: ReadonlySet<'login' | 'consent' | 'select_account'> };

const steps = ['login', 'consent', 'select_account'] as const;

/**
 * Reads `prompt`. Unknown values are ignored, so that extensions can be phased in.
 *
 * @throws OAuthError `invalid_request` where `none` stands beside another value.
 * @see OIDC Core §3.1.2.1
 */
export const readPrompt = (text: string | undefined): Prompt => {
  const values = new Set((text ?? '').split(' ').filter((each) => each !== ''));
  if (values.has('none')) {
    if (values.size > 1) throw new OAuthError('invalid_request', { description: 'prompt=none cannot be combined with other values' });
    return { kind: 'silent' };
  }
  return { kind: 'interactive', steps: new Set(steps.filter((step) => values.has(step))) };
};

/**
 * Reads `max_age`: seconds since the person last proved who they are, undefined where omitted.
 *
 * @throws OAuthError `invalid_request` where it is not a whole number of seconds.
 * @see OIDC Core §3.1.2.1
 */
export const readMaxAge = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,10}$/.test(text)) throw new OAuthError('invalid_request', { description: 'max_age must be a whole number of seconds' });
  return Number(text);
};
