import type {
  Branding,
  CompatibilitySwitches,
  ExplorationLimits,
  Lifetimes,
  PlatformDocument,
  PlatformGrantType,
  PresetClient,
  ResourceDefinition,
  ScopeDefinition,
  SigningAlgorithm,
} from './document.ts';
import { deviceCodeGrant, jwtBearerGrant, tokenExchangeGrant } from './document.ts';
import { agentSignUp, mcpServer } from './document-agents.ts';
import { consent, consentDefaults, contexts, registration, registrationDefaults, trustedIssuers } from './document-clients.ts';
import { contradictions } from './document-rules.ts';
import {
  clientId,
  colour,
  description,
  host,
  httpsUrl,
  issuer,
  label,
  platformName,
  redirectUri,
  roleName,
  scopeName,
  tokenPrefix,
  upstreamUrl,
  webUrl,
} from './document-texts.ts';
import {
  complete,
  type DocumentProblem,
  flag,
  list,
  type Members,
  needed,
  nullable,
  object,
  oneOf,
  optional,
  type Reader,
  readableMembers,
  unreadable,
  whole,
} from './readers.ts';

export type ParsedPlatformDocument =
  | { readonly ok: true; readonly document: PlatformDocument }
  | { readonly ok: false; readonly problems: readonly DocumentProblem[] };

const itself = (item: string): string => item;
const minute = 60;
const day = 86_400;
const year = 365 * day;

const algorithm: Reader<SigningAlgorithm> = oneOf('RS256', 'ES256', 'EdDSA');
const grantTypes = list<PlatformGrantType>(
  oneOf('authorization_code', 'refresh_token', 'client_credentials', deviceCodeGrant, tokenExchangeGrant, jwtBearerGrant),
  { min: 1, max: 6, key: itself },
);
const usualGrantTypes: readonly PlatformGrantType[] = ['authorization_code', 'refresh_token'];

const scope = object<ScopeDefinition>({
  name: needed(scopeName),
  description: needed(description),
  default: optional(flag, false),
  required: optional(flag, false),
  implies: optional(list(scopeName, { max: 64, key: itself }), []),
});

type ResourceAsWritten = Omit<ResourceDefinition, 'accessTokenFormat'> & {
  readonly accessTokenFormat: 'opaque' | 'jwt';
  readonly accessTokenAlg: SigningAlgorithm | null;
};

const resourceAsWritten = object<ResourceAsWritten>({
  uri: needed(webUrl),
  name: needed(label),
  scopes: optional(list(scopeName, { max: 64, key: itself }), []),
  accessTokenFormat: optional(oneOf('opaque', 'jwt'), 'opaque'),
  accessTokenAlg: optional(nullable(algorithm), null),
  upstream: optional(nullable(upstreamUrl), null),
  perContext: optional(flag, false),
});

const resource: Reader<ResourceDefinition> = (value, path, problems) => {
  const written = resourceAsWritten(value, path, problems);
  if (written === unreadable) return unreadable;
  const { accessTokenFormat, accessTokenAlg, ...rest } = written;
  if (accessTokenFormat === 'jwt') return { ...rest, accessTokenFormat, accessTokenAlg: accessTokenAlg ?? 'EdDSA' };
  if (accessTokenAlg === null) return { ...rest, accessTokenFormat };
  problems.push({
    path: `${path}.accessTokenAlg`,
    problem: 'says how to sign an opaque token',
    fix: 'Remove it, or set accessTokenFormat to "jwt".',
  });
  return unreadable;
};

const lifetimes: Lifetimes = {
  accessTokenSeconds: 3600,
  refreshTokenSeconds: 90 * day,
  codeSeconds: 600,
  signUpLinkSeconds: 900,
  grantMaxSeconds: null,
  signInSeconds: 28_800,
};

const lifetimesReader = object<Lifetimes>({
  accessTokenSeconds: optional(whole(minute, day), lifetimes.accessTokenSeconds),
  refreshTokenSeconds: optional(whole(minute, 2 * year), lifetimes.refreshTokenSeconds),
  // OAuth 2.1 §4.1.2 recommends ten minutes at most.
  codeSeconds: optional(whole(10, 600), lifetimes.codeSeconds),
  signUpLinkSeconds: optional(whole(minute, day), lifetimes.signUpLinkSeconds),
  grantMaxSeconds: optional(nullable(whole(minute, 10 * year)), lifetimes.grantMaxSeconds),
  signInSeconds: optional(whole(minute, 30 * day), lifetimes.signInSeconds),
});

const presetClient = object<PresetClient>({
  clientId: needed(clientId),
  name: needed(label),
  redirectUris: optional(list(redirectUri, { max: 50, key: itself }), []),
  type: optional(oneOf('public', 'confidential'), 'public'),
  grantTypes: optional(grantTypes, usualGrantTypes),
  scopes: optional(nullable(list(scopeName, { max: 64, key: itself })), null),
});

const switches: CompatibilitySwitches = {
  httpLoopbackRedirects: false,
  httpsRedirectsOnly: false,
  scopeParameterRequired: false,
  basicForExploration: false,
  arloChallenges: false,
  connectPaths: false,
};
const branding: Branding = { displayName: '', accentColor: '#1f4f8f', logoUrl: null };
const signIn: PlatformDocument['signIn'] = { registration: 'closed', mfa: 'optional' };
const exploration: ExplorationLimits = { days: 30, requestsPerDay: 1000, administratorRole: null };
const refresh: PlatformDocument['refresh'] = { retrySeconds: 60, retryLimit: 10, requiresOfflineAccess: false };

/** Empty texts stand for the defaults that are taken from other members. */
const members: Members<PlatformDocument> = {
  name: needed(platformName),
  displayName: needed(label),
  issuer: optional(nullable(issuer), null),
  hosts: optional(list(host, { max: 50, key: itself }), []),
  scopes: needed(list(scope, { min: 1, max: 64, key: ({ name }) => name })),
  resources: optional(list(resource, { max: 255, key: ({ uri }) => uri }), []),
  lifetimes: optional(lifetimesReader, lifetimes),
  registration: optional(registration, registrationDefaults),
  consent: optional(consent, consentDefaults),
  contexts: optional(nullable(contexts), null),
  trustedIssuers: optional(trustedIssuers, []),
  presetClients: optional(list(presetClient, { max: 100, key: (client) => client.clientId }), []),
  pkce: optional(oneOf('required', 'public_clients'), 'required'),
  grantTypes: optional(grantTypes, usualGrantTypes),
  tokens: optional(object({ prefix: needed(tokenPrefix) }), { prefix: '' }),
  refresh: optional(
    object({
      retrySeconds: optional(whole(0, 600), refresh.retrySeconds),
      retryLimit: optional(whole(1, 1000), refresh.retryLimit),
      requiresOfflineAccess: optional(flag, refresh.requiresOfflineAccess),
    }),
    refresh,
  ),
  idTokenAlg: optional(algorithm, 'RS256'),
  roles: optional(list(roleName, { max: 100, key: itself }), []),
  signIn: optional(
    object({
      registration: optional(oneOf('open', 'closed'), signIn.registration),
      mfa: optional(oneOf('off', 'optional', 'required'), signIn.mfa),
    }),
    signIn,
  ),
  exploration: optional(
    object({
      days: optional(whole(1, 365), exploration.days),
      requestsPerDay: optional(whole(1, 1_000_000), exploration.requestsPerDay),
      administratorRole: optional(nullable(roleName), exploration.administratorRole),
    }),
    exploration,
  ),
  agentSignUp: optional(nullable(agentSignUp), null),
  mcpServer: optional(nullable(mcpServer), null),
  branding: optional(
    object({
      displayName: optional(label, branding.displayName),
      accentColor: optional(colour, branding.accentColor),
      logoUrl: optional(nullable(httpsUrl), branding.logoUrl),
    }),
    branding,
  ),
  webhooks: optional(object({ allowLoopback: optional(flag, false) }), { allowLoopback: false }),
  switches: optional(
    object({
      httpLoopbackRedirects: optional(flag, false),
      httpsRedirectsOnly: optional(flag, false),
      scopeParameterRequired: optional(flag, false),
      basicForExploration: optional(flag, false),
      arloChallenges: optional(flag, false),
      connectPaths: optional(flag, false),
    }),
    switches,
  ),
  documentation: optional(nullable(webUrl), null),
};

/** Defaults taken from other members: pages show the platform's own name, tokens start with its first letters. */
const withDerivedDefaults = (document: PlatformDocument): PlatformDocument => ({
  ...document,
  tokens: { prefix: document.tokens.prefix || document.name.replaceAll('-', '').slice(0, 10) },
  branding: { ...document.branding, displayName: document.branding.displayName || document.displayName },
});

/**
 * The platform document that `json` is, with every default filled in, or all that is wrong with it. Unknown keys are
 * refused. Parsing a parsed document gives the same document.
 */
export const parsePlatformDocument = (json: unknown): ParsedPlatformDocument => {
  const problems: DocumentProblem[] = [];
  const read = readableMembers(members)(json, '', problems);
  if (read === unreadable) return { ok: false, problems };
  problems.push(...contradictions(read));
  return problems.length === 0 && complete(read, members) ? { ok: true, document: withDerivedDefaults(read) } : { ok: false, problems };
};
