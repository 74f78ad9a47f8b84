import type { PlatformDocument, PlatformGrantType, PresetClient } from './document.ts';
import { deviceCodeGrant, jwtBearerGrant } from './document.ts';
import type { DocumentProblem } from './readers.ts';

type Readable = Partial<PlatformDocument>;
type Problems = readonly DocumentProblem[];

const unknownScopes = ({ scopes, resources = [], presetClients = [] }: Readable): Problems => {
  if (scopes === undefined) return [];
  const known = new Set(scopes.map(({ name }) => name));
  const check = (path: string, names: readonly string[] | null): Problems =>
    (names ?? []).flatMap((name, index) =>
      known.has(name)
        ? []
        : [{ path: `${path}[${index}]`, problem: `names the unknown scope "${name}"`, fix: 'Define it under scopes, or remove it here.' }],
    );
  return [
    ...scopes.flatMap((scope, index) => check(`scopes[${index}].implies`, scope.implies)),
    ...resources.flatMap((resource, index) => check(`resources[${index}].scopes`, resource.scopes)),
    ...presetClients.flatMap((client, index) => check(`presetClients[${index}].scopes`, client.scopes)),
  ];
};

const refreshWithoutCode = (path: string, types: readonly PlatformGrantType[]): Problems =>
  types.includes('refresh_token') && !types.includes('authorization_code') && !types.includes(deviceCodeGrant)
    ? [{ path, problem: 'allows refreshing what cannot be granted', fix: 'Add "authorization_code", or remove "refresh_token".' }]
    : [];

const preset = (client: PresetClient, at: string, platformTypes: readonly PlatformGrantType[] | undefined): Problems => {
  const path = `${at}.grantTypes`;
  const problems: DocumentProblem[] = [...refreshWithoutCode(path, client.grantTypes)];
  for (const type of client.grantTypes) {
    if (platformTypes?.includes(type) ?? true) continue;
    problems.push({ path, problem: `uses "${type}", which the platform does not have`, fix: 'Add it to grantTypes, or remove it here.' });
  }
  if (client.type === 'public' && client.grantTypes.includes('client_credentials')) {
    problems.push({ path, problem: 'lets a public client act by itself', fix: 'Make it confidential, or remove "client_credentials".' });
  }
  if (client.grantTypes.includes('authorization_code') && client.redirectUris.length === 0) {
    problems.push({ path: `${at}.redirectUris`, problem: 'is empty', fix: 'Add the redirect URIs of this client.' });
  }
  return problems;
};

const presets = ({ presetClients = [], grantTypes, registration }: Readable): Problems => {
  const each = presetClients.flatMap((client, index) => preset(client, `presetClients[${index}]`, grantTypes));
  if (presetClients.length === 0 || registration === undefined || registration.policy.includes('preset')) return each;
  return [
    ...each,
    { path: 'registration.policy', problem: 'does not allow the preset clients listed', fix: 'Add "preset", or remove presetClients.' },
  ];
};

const issuerHost = ({ issuer, hosts }: Readable): Problems => {
  if (issuer === undefined || issuer === null || hosts === undefined) return [];
  const { host } = new URL(issuer);
  return hosts.includes(host)
    ? []
    : [{ path: 'hosts', problem: 'lacks the host of the issuer', fix: `Add "${host}", or requests for it find no platform.` }];
};

const offlineAccess = ({ refresh, scopes }: Readable): Problems =>
  refresh === undefined || !refresh.requiresOfflineAccess || scopes === undefined || scopes.some(({ name }) => name === 'offline_access')
    ? []
    : [
        {
          path: 'refresh.requiresOfflineAccess',
          problem: 'needs a scope that is not defined',
          fix: 'Define the scope "offline_access", or set this to false.',
        },
      ];

const administratorRole = ({ exploration, roles }: Readable): Problems => {
  const role = exploration?.administratorRole ?? null;
  return role === null || roles === undefined || roles.includes(role)
    ? []
    : [{ path: 'exploration.administratorRole', problem: 'names an unknown role', fix: `Add "${role}" to roles, or set this to null.` }];
};

const agentSignUp = ({ agentSignUp: signUp, presetClients, grantTypes }: Readable): Problems => {
  if (signUp === undefined || signUp === null || presetClients === undefined) return [];
  const path = 'agentSignUp';
  const client = presetClients.find(({ clientId }) => clientId === signUp.unidentifiedClient);
  return [
    ...(grantTypes?.includes(deviceCodeGrant) === false
      ? [{ path, problem: 'is redeemed by a grant type that the platform lacks', fix: `Add "${deviceCodeGrant}" to grantTypes.` }]
      : []),
    ...(client?.type === 'public' && client.grantTypes.includes(deviceCodeGrant)
      ? []
      : [
          {
            path: `${path}.unidentifiedClient`,
            problem: 'names no public preset client that may redeem a device code',
            fix: `List a public client of this id under presetClients, with "${deviceCodeGrant}" among its grantTypes.`,
          },
        ]),
  ];
};

const mcpServer = ({ mcpServer: server, resources }: Readable): Problems =>
  server === undefined || server === null || resources === undefined || resources.some(({ uri }) => uri === server.resource)
    ? []
    : [{ path: 'mcpServer.resource', problem: 'names an unknown resource', fix: 'List it under resources, or correct the URI.' }];

const contexts = ({ contexts: choice, resources = [] }: Readable): Problems =>
  resources.flatMap(({ perContext, uri }, index) => {
    const path = `resources[${index}].perContext`;
    return [
      ...(perContext && choice === null ? [{ path, problem: 'needs contexts', fix: 'Say under contexts what one is called.' }] : []),
      ...(perContext && uri.includes('?')
        ? [{ path, problem: 'needs a URI that a segment can be added to', fix: 'Take the query out of uri, or leave perContext out.' }]
        : []),
    ];
  });

const identityProviders = ({ trustedIssuers, grantTypes }: Readable): Problems =>
  trustedIssuers === undefined || trustedIssuers.length === 0 || grantTypes === undefined || grantTypes.includes(jwtBearerGrant)
    ? []
    : [
        {
          path: 'trustedIssuers',
          problem: 'are of no use without their grant type',
          fix: `Add "${jwtBearerGrant}" to grantTypes, or remove them.`,
        },
      ];

/** What the readable members of a document say against each other; each of them is well-formed by itself. */
export const contradictions = (document: Readable): Problems => [
  ...unknownScopes(document),
  ...refreshWithoutCode('grantTypes', document.grantTypes ?? []),
  ...presets(document),
  ...issuerHost(document),
  ...offlineAccess(document),
  ...administratorRole(document),
  ...agentSignUp(document),
  ...mcpServer(document),
  ...contexts(document),
  ...identityProviders(document),
];
