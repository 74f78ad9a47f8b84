import { randomBytes } from 'node:crypto';
import {
  Client as Client2,
  StreamableHTTPClientTransport as Transport2,
  UnauthorizedError as Unauthorized2,
} from '@modelcontextprotocol/client';
import { UnauthorizedError as Unauthorized1 } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

type Tokens = { readonly access_token: string; readonly token_type: string; readonly refresh_token?: string };

/**
 * What a program that uses an MCP client remembers for it: a registered client, and whatever the client gives to keep. Without
 * a `clientId` the client comes by one itself: by the document at `metadataUrl`, where it has one, or by registering.
 */
export const createOAuthMemory = (registered: {
  readonly clientId?: string;
  readonly redirectUri: string;
  readonly metadataUrl?: string;
}) => {
  let information: { readonly client_id: string } | undefined =
    registered.clientId === undefined ? undefined : { client_id: registered.clientId };
  let tokens: Tokens | undefined;
  let verifier = '';
  let discovered: unknown;
  const sentTo: URL[] = [];
  return {
    redirectUrl: registered.redirectUri,
    clientMetadata: {
      client_name: 'Test agent',
      redirect_uris: [registered.redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    },
    state: () => randomBytes(16).toString('base64url'),
    ...(registered.metadataUrl === undefined ? {} : { clientMetadataUrl: registered.metadataUrl }),
    clientInformation: () => information,
    saveClientInformation: (given: object) => {
      information = given as { readonly client_id: string };
    },
    // Its members are required of nobody but the client's own types.
    tokens: () => tokens,
    saveTokens: (given: object) => {
      tokens = given as Tokens;
    },
    redirectToAuthorization: (url: URL) => void sentTo.push(url),
    saveCodeVerifier: (given: string) => {
      verifier = given;
    },
    codeVerifier: () => verifier,
    invalidateCredentials: (kind: string) => {
      if (kind === 'all' || kind === 'tokens') tokens = undefined;
      if ((kind === 'all' || kind === 'client') && registered.clientId === undefined) information = undefined;
    },
    saveDiscoveryState: (given: unknown) => {
      discovered = given;
    },
    discoveryState: () => discovered as never,
    /** Where the client has sent its person so far. */
    sentTo,
  };
};

export type OAuthMemory = ReturnType<typeof createOAuthMemory>;

export type ToolResult = {
  readonly isError?: boolean;
  readonly structuredContent?: Readonly<Record<string, unknown>>;
  readonly content: readonly { readonly type: string; readonly text?: string }[];
};

export type McpAgent = {
  readonly name: string;
  readonly instructions: () => string | undefined;
  readonly serverName: () => string | undefined;
  readonly protocolVersion: () => string | undefined;
  readonly ping: () => Promise<unknown>;
  readonly tools: () => Promise<readonly Readonly<Record<string, unknown>>[]>;
  readonly call: (name: string, input?: Readonly<Record<string, unknown>>) => Promise<ToolResult>;
  readonly finishAuth: (callback: URL) => Promise<void>;
  readonly isUnauthorized: (error: unknown) => boolean;
  readonly close: () => Promise<void>;
};

type Connect = (options: {
  readonly url: string;
  readonly memory?: OAuthMemory;
  readonly token?: string;
  /** What the person does where a server lets nobody connect without a token: where they were sent, and where they came back. */
  readonly authorize?: (sentTo: URL) => Promise<URL>;
}) => Promise<McpAgent>;

/** Connects, and once more after its person has authorized it, as programs do on an UnauthorizedError. */
const connectOrAuthorize = async <
  Opened extends { readonly connect: () => Promise<void>; readonly finishAuth: (callback: URL) => Promise<void> },
>(
  open: () => Opened,
  { memory, authorize }: Pick<Parameters<Connect>[0], 'memory' | 'authorize'>,
  isUnauthorized: (error: unknown) => boolean,
): Promise<Opened> => {
  const first = open();
  try {
    await first.connect();
    return first;
  } catch (error) {
    const sentTo = memory?.sentTo.at(-1);
    if (authorize === undefined || sentTo === undefined || !isUnauthorized(error)) throw error;
    await first.finishAuth(await authorize(sentTo));
    const second = open();
    await second.connect();
    return second;
  }
};

const clientInfo = { name: 'test-agent', version: '3.2.1' };
const requestOf = (token: string | undefined) =>
  token === undefined ? {} : { requestInit: { headers: { authorization: `Bearer ${token}` } } };

/** The client of SDK 1.32, as most agents in the field have it. */
const connect1: Connect = async (options) => {
  const { url, memory, token } = options;
  const open = () => {
    const client = new Client1(clientInfo);
    const transport = new Transport1(new URL(url), {
      ...(memory === undefined ? {} : { authProvider: memory as never }),
      ...requestOf(token),
    });
    const finishAuth = (callback: URL) => transport.finishAuth(callback.searchParams.get('code') ?? '');
    // Its own types do not agree with exactOptionalPropertyTypes.
    return { client, transport, finishAuth, connect: () => client.connect(transport as never) };
  };
  const isUnauthorized = (error: unknown): boolean => error instanceof Unauthorized1;
  const { client, transport, finishAuth } = await connectOrAuthorize(open, options, isUnauthorized);
  return {
    name: 'SDK 1.32',
    instructions: () => client.getInstructions(),
    serverName: () => client.getServerVersion()?.name,
    protocolVersion: () => transport.protocolVersion,
    ping: () => client.ping(),
    tools: async () => (await client.listTools()).tools,
    call: async (name, input = {}) => (await client.callTool({ name, arguments: input })) as ToolResult,
    finishAuth,
    isUnauthorized,
    close: () => client.close(),
  };
};

/** The client of v2: `auto` speaks 2026-07-28, `legacy` what it does unasked, 2025-11-25. */
const connect2 =
  (mode: 'auto' | 'legacy'): Connect =>
  async (options) => {
    const { url, memory, token } = options;
    const open = () => {
      const client = new Client2(clientInfo, mode === 'auto' ? { versionNegotiation: { mode } } : {});
      const transport = new Transport2(new URL(url), {
        ...(memory === undefined ? {} : { authProvider: memory as never }),
        ...requestOf(token),
      });
      const finishAuth = (callback: URL) => transport.finishAuth(callback.searchParams);
      return { client, finishAuth, connect: () => client.connect(transport) };
    };
    const isUnauthorized = (error: unknown): boolean => error instanceof Unauthorized2;
    const { client, finishAuth } = await connectOrAuthorize(open, options, isUnauthorized);
    return {
      name: `client v2 (${mode})`,
      instructions: () => client.getInstructions(),
      serverName: () => client.getServerVersion()?.name,
      protocolVersion: () => client.getNegotiatedProtocolVersion(),
      ping: () => client.ping(),
      tools: async () => (await client.listTools()).tools,
      call: async (name, input = {}) => (await client.callTool({ name, arguments: input })) as ToolResult,
      finishAuth,
      isUnauthorized,
      close: () => client.close(),
    };
  };

/** Both generations of unmodified MCP clients, by what they speak. */
export const mcpClients = [
  { name: 'SDK 1.32', speaks: '2025-11-25', connect: connect1 },
  { name: 'client v2 unasked', speaks: '2025-11-25', connect: connect2('legacy') },
  { name: 'client v2 negotiating', speaks: '2026-07-28', connect: connect2('auto') },
] as const;
