import type { ClientEvent, ClientId, ClientState, PlatformDocument } from '@grantlog/domain';
import { clientDecider } from '@grantlog/domain';
import type { Pool } from '@grantlog/postgres';
import { OAuthError, parseClientId } from '@grantlog/protocol';
import type { PlatformNames } from '@grantlog/provisioning';
import type { Deps } from '../deps.ts';
import { admitFetch } from '../metadata-documents/admit-fetch.ts';
import type { MetadataDocument } from '../metadata-documents/read-metadata-document.ts';
import { takesSite } from '../metadata-documents/sites.ts';
import { foldClient } from './load-parties.ts';

/** A client at an instant: what the log says and, of one that is described by a document, what that says by now. */
export type ResolvedClient = {
  readonly state: ClientState;
  /** What the log does not know of it yet. A person's decision alone writes it: nothing anonymous writes. */
  readonly news: readonly ClientEvent[];
};

type Context = Pick<Deps, 'sealer' | 'metadataDocuments'> & { readonly provisioning: { readonly pool: Pool } };

/** Shown on a page, or answered to whoever pushes a request; never to a redirect URI, which nobody has vouched for. */
const refuse = (description: string, reason?: string): OAuthError =>
  new OAuthError('invalid_client', { status: 400, description, ...(reason === undefined ? {} : { reason }) });

/** What the client may ask for: what its document names, if that was written with this platform in mind. One document is for every server. */
const scopesOf = (platform: PlatformDocument, { scopes }: MetadataDocument): readonly string[] | null =>
  scopes?.every((scope) => platform.scopes.some(({ name }) => name === scope)) === true ? scopes : null;

type Asked = {
  readonly names: PlatformNames;
  readonly document: PlatformDocument;
  readonly clientId: string;
  /** As the log has it. */
  readonly logged: ClientState;
  /** Of whoever asks: what they make us fetch is bounded. */
  readonly address: string;
  /** Milliseconds since the epoch by the database's clock. */
  readonly now: number;
};

/** The client that an unknown, or a known but changed, document makes: first as commands, so that the log's own rules judge it. */
const described = (asked: Asked, found: MetadataDocument): ResolvedClient => {
  const { names, document, clientId, logged, now } = asked;
  const { kind, settings } = found;
  const decided =
    logged.status === 'none'
      ? clientDecider.decide(
          {
            ...settings,
            type: 'register',
            // Parsed as a URL before it was fetched.
            clientId: clientId as ClientId,
            kind,
            how: 'metadata_document',
            scopes: scopesOf(document, found),
            owner: null,
            secretCredential: null,
            approval: 'approved',
            tokenNonce: null,
          },
          logged,
        )
      : clientDecider.decide({ type: 'redescribe', kind, settings: withOperators(logged, settings) }, logged);
  if (decided.refusal !== undefined) throw refuse('The app describes itself in contradictions and cannot be used', decided.refusal);
  const at = { streamId: names.client(clientId), position: 0, version: 0, recordedAt: now, personal: null };
  const state = decided.events.reduce<ClientState>((before, event) => clientDecider.evolve(before, { ...event, ...at }), logged);
  return { state, news: decided.events };
};

/** What an operator has set for the client stays: what it serves and which roles it has, and where they asked for more proof. */
const withOperators = (logged: ClientState, { serves: _, roles: __, ...settings }: MetadataDocument['settings']) =>
  logged.status !== 'active'
    ? settings
    : {
        ...settings,
        dpopRequired: settings.dpopRequired || logged.dpopRequired,
        parRequired: settings.parRequired || logged.parRequired,
      };

/**
 * The client of a `client_id` at an instant. What was registered is what the log says; what is described by a document is
 * what that says now, so a site that does not answer opens nothing new. A grant that exists goes on by the log alone.
 *
 * @throws OAuthError `invalid_client` in words for a person, who sees nothing of what was fetched.
 * @throws LogUnavailable
 */
export const resolveClient = async (deps: Context, asked: Asked): Promise<ResolvedClient> => {
  const { names, document, clientId, logged, address, now } = asked;
  if (logged.status !== 'none' && (logged.status !== 'active' || logged.how !== 'metadata_document')) return { state: logged, news: [] };
  const parsed = parseClientId(clientId);
  if (parsed.kind === 'name') return { state: logged, news: [] };
  if (!document.registration.policy.includes('metadata_document'))
    throw refuse('The app that sent you here is not registered, and this platform takes no apps that describe themselves by a URL');
  if (parsed.kind === 'refused') throw refuse(`The client_id of the app that sent you here cannot be used because ${parsed.why}`);
  const { url, host } = parsed;
  if (!takesSite(document.registration.metadataDocuments, host)) throw refuse(`This platform takes no apps that are described at ${host}`);
  const found = await deps.metadataDocuments.get(url, {
    allowLoopback: false,
    admit: () => admitFetch(deps, { platform: names.platform, address, host, isKnown: logged.status === 'active', now }),
  });
  if (found.outcome === 'unavailable')
    throw refuse(`The app that sent you here describes itself at ${host}, and this description cannot be used: ${found.why}`, found.reason);
  return described(asked, found.value);
};

/** What a page calls the client that sent somebody there; null where it cannot be said just now. */
export const nameOfClient = async (
  deps: Context & Pick<Deps, 'log'>,
  asked: Pick<Asked, 'names' | 'document' | 'clientId' | 'address'>,
): Promise<string | null> => {
  const stream = asked.names.client(asked.clientId);
  const loaded = await deps.log.load(asked.names.platform, [{ streamId: stream }]);
  try {
    const { state } = await resolveClient(deps, { ...asked, logged: foldClient(loaded, stream), now: loaded.now });
    return state.status === 'active' ? state.name : null;
  } catch (error) {
    if (error instanceof OAuthError) return null;
    throw error;
  }
};
