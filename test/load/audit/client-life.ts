import { randomToken, randomUuid } from '@grantlog/crypto';
import type { ClientCommand, ClientId, ClientRegistration, PlatformGrantType } from '@grantlog/domain';
import { clientDecider, deviceCodeGrant, tokenExchangeGrant } from '@grantlog/domain';
import type { Actor } from '@grantlog/eventsourcing';
import type { Random } from '../../recovery/log/random.ts';
import { requestOf } from './recorder.ts';
import { openStream } from './stream.ts';
import { type Client, pause, type World } from './world.ts';

export const operator: Actor = { kind: 'operator', id: 'operator-1' };

const registrationOf = (random: Random, clientId: ClientId): ClientRegistration => {
  const isDynamic = random.happens(0.4);
  const isPublic = isDynamic || random.happens(0.3);
  const asserts = !isPublic && random.happens(0.3);
  const usual: readonly PlatformGrantType[] = ['authorization_code', 'refresh_token', deviceCodeGrant];
  return {
    clientId,
    kind: isPublic ? 'public' : 'confidential',
    how: isDynamic ? 'dynamic' : 'portal',
    name: `Client ${clientId.slice(-6)}`,
    redirectUris: [`https://${clientId}.example/callback`],
    grantTypes: isPublic ? usual : [...usual, 'client_credentials', tokenExchangeGrant],
    scopes: null,
    authMethods: isPublic ? ['none'] : asserts ? ['private_key_jwt'] : ['client_secret_basic'],
    ...(asserts ? { jwksUri: `https://${clientId}.example/jwks.json` } : {}),
    idTokenAlg: null,
    secretCredential: isPublic || asserts ? null : randomUuid(),
    approval: isDynamic || random.happens(0.5) ? 'approved' : 'pending',
    serves: [],
    roles: [],
    tokenNonce: isDynamic ? randomToken(32) : null,
  };
};

/** Decides and records a command of somebody on a client alone. */
export const changeClient = (world: World, client: Client, actor: Actor, toCommand: () => ClientCommand) =>
  world.record(requestOf(actor), () => {
    const { write, refusal } = client.stream.decide(toCommand());
    return { writes: [write], reads: [], refusal };
  });

/** What an operator approves is the client as it stands. */
const approve = (world: World, client: Client) =>
  changeClient(world, client, operator, () => ({ type: 'approve', asOf: Number.MAX_SAFE_INTEGER }));

/** A developer registers a client; where it has to be approved, an operator looks at it, and not always kindly. */
export const registerClient = async (world: World, random: Random): Promise<void> => {
  const clientId = `client-${randomUuid().slice(-12)}` as ClientId;
  const id = world.names.client(clientId);
  const client: Client = { clientId, id, stream: openStream(clientDecider, id) };
  const registration = registrationOf(random, clientId);
  const developer: Actor = { kind: 'client', id };
  await changeClient(world, client, developer, () => ({ type: 'register', ...registration }));
  world.clients.push(client);
  world.made.clients.push(id);
  if (registration.approval === 'approved') return;
  if (random.happens(0.2)) {
    await changeClient(world, client, operator, () => ({ type: 'reject', reason: 'incomplete' }));
    await changeClient(world, client, developer, () => ({ type: 'propose', changes: { name: `Better ${clientId.slice(-6)}` } }));
  }
  if (random.happens(0.9)) await approve(world, client);
};

/** Something that happens to a client sooner or later. */
export const troubleClient = async (world: World, random: Random): Promise<void> => {
  const client = random.pick(world.clients);
  const change = (actor: Actor, toCommand: () => ClientCommand) => changeClient(world, client, actor, toCommand);
  const developer: Actor = { kind: 'client', id: client.id };
  switch (random.below(8)) {
    case 0:
      await change(operator, () => ({ type: 'disable', reason: 'complaints' }));
      world.beside(async () => {
        await pause(30);
        await change(operator, () => ({ type: 'enable' }));
      });
      return;
    case 1:
      return void (await change(operator, () => ({ type: 'revokeGrants', reason: 'leaked' })));
    case 2: {
      const previousValidUntil = Math.floor(Date.now() / 1_000) + 60;
      return void (await change(developer, () => ({ type: 'rotateSecret', credentialId: randomUuid(), previousValidUntil })));
    }
    case 3:
      return void (await change(operator, () => ({ type: 'update', changes: { name: `Renamed ${random.below(1_000)}` } })));
    case 4: {
      const uri = `https://${client.clientId}.example/other/${random.below(1_000)}`;
      await change(developer, () => ({ type: 'propose', changes: { redirectUris: [`https://${client.clientId}.example/callback`, uri] } }));
      if (random.happens(0.6)) await approve(world, client);
      else await change(operator, () => ({ type: 'reject', reason: 'strange_uri' }));
      return;
    }
    case 5:
      return registerClient(world, random);
    case 6:
      return void (await approve(world, client));
    default:
      // There is no end of clients, but no run on them either.
      if (world.clients.length > 8 && random.happens(0.3)) {
        world.clients.splice(world.clients.indexOf(client), 1);
        await change(operator, () => ({ type: 'delete' }));
      }
  }
};
