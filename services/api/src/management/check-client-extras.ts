import type { PublicJwk } from '@grantlog/crypto';
import { canVerify } from '@grantlog/crypto';
import type { ClientExtras, ClientSelfDescription, DocumentProblem } from '@grantlog/domain';
import { type Egress, tellTenant } from '@grantlog/egress';
import type { JsonObject } from '@grantlog/eventsourcing';
import { OAuthError, parseRedirectUri, readClientKeys } from '@grantlog/protocol';
import { invalidContents } from '../json-api/validate.ts';
import { extraNames, type SentExtras } from './client-extras.ts';

type Read<Value> = { readonly value: Value } | { readonly problem: DocumentProblem };

const wrong = (path: string, problem: string, fix: string): { readonly problem: DocumentProblem } => ({ problem: { path, problem, fix } });

const readKeys = (jwks: JsonObject): Read<JsonObject> => {
  try {
    const set = readClientKeys(jwks);
    const keys = (set?.keys ?? []) as readonly PublicJwk[];
    return keys.some(canVerify)
      ? // Only what makes a public key is kept.
        { value: { keys: keys.map((key) => ({ ...key })) } }
      : wrong('jwks', 'has no key that could verify a signature', 'Send an RSA key of 2048 bits or more, a P-256 key or an Ed25519 key.');
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    return wrong('jwks', `is refused: ${error.description}`, 'Send the public keys as RFC 7517 describes them.');
  }
};

const fetchable = (egress: Egress, path: string, uri: string): readonly DocumentProblem[] => {
  const checked = egress.checkUrl(uri);
  if (checked.kind === 'refused')
    return [{ path, problem: `cannot be asked. ${tellTenant(checked)}`, fix: 'Give an https URL on a public address.' }];
  return uri.includes('#') ? [{ path, problem: 'has a fragment', fix: 'Leave out what follows the #.' }] : [];
};

const pages = ['clientUri', 'logoUri', 'tosUri', 'policyUri'] as const satisfies readonly (keyof ClientSelfDescription)[];

const isPage = (text: string): boolean => {
  const page = URL.parse(text);
  return page !== null && /^https?:$/.test(page.protocol) && page.username === '' && page.password === '';
};

/**
 * Judges the extra settings of a client as somebody sent them, and answers what is to be recorded.
 *
 * @param sent may hold other members, which are left out of the answer.
 * @param of.about what the client says of itself so far.
 * @throws ProblemError with every reason at once.
 */
export const checkClientExtras = (
  sent: SentExtras,
  of: { readonly egress: Egress; readonly about: ClientSelfDescription },
): Partial<ClientExtras> => {
  const keys = sent.jwks == null ? null : readKeys(sent.jwks);
  const about = { ...of.about, ...sent.about };
  const uris = sent.postLogoutRedirectUris ?? [];
  const problems: readonly DocumentProblem[] = [
    ...(keys !== null && 'problem' in keys ? [keys.problem] : []),
    ...(sent.jwksUri == null ? [] : fetchable(of.egress, 'jwksUri', sent.jwksUri)),
    ...(sent.backchannelLogout == null ? [] : fetchable(of.egress, 'backchannelLogout.uri', sent.backchannelLogout.uri)),
    ...uris.flatMap((uri, index) => {
      const path = `postLogoutRedirectUris[${index}]`;
      if (uris.indexOf(uri) !== index) return [{ path, problem: 'is there twice', fix: 'List each one once.' }];
      const parsed = parseRedirectUri(uri);
      return parsed.kind === 'refused'
        ? [{ path, problem: `is refused because ${parsed.why}`, fix: 'Register the URI that the client really uses.' }]
        : [];
    }),
    ...pages.flatMap((name) => {
      const text = about[name];
      return text === null || isPage(text)
        ? []
        : [{ path: `about.${name}`, problem: 'is no http or https URL', fix: 'Give the URL of a page.' }];
    }),
  ];
  if (problems.length > 0) throw invalidContents('body', problems);
  return {
    ...Object.fromEntries(extraNames.flatMap((name) => (sent[name] === undefined ? [] : [[name, sent[name]]]))),
    ...(sent.jwks === undefined ? {} : { jwks: keys !== null && 'value' in keys ? keys.value : null }),
    ...(sent.about === undefined ? {} : { about }),
  };
};
