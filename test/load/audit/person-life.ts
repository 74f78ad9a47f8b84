import { createDataKey, randomToken, randomUuid, sealPersonal, standingId } from '@grantlog/crypto';
import type { AccountCommand, AccountId } from '@grantlog/domain';
import { accountDecider, nameDecider, standingKinds } from '@grantlog/domain';
import type { Actor } from '@grantlog/eventsourcing';
import { insertDataKey } from '@grantlog/postgres';
import { sealDataKey } from '@grantlog/provisioning';
import type { Random } from '../../recovery/log/random.ts';
import { operator } from './client-life.ts';
import { byCode } from './code-life.ts';
import { requestOf } from './recorder.ts';
import { bySession } from './session-life.ts';
import { endSignIn, signIn } from './sign-in-life.ts';
import { openStream } from './stream.ts';
import type { Person, World } from './world.ts';

const actorOf = ({ id }: Person): Actor => ({ kind: 'account', id });

/** A new person registers: one commit of the account, its password and the claim on the email. */
const signUp = async (world: World): Promise<Person> => {
  const { platform, sealer } = world;
  const id = standingId(standingKinds.account) as AccountId;
  const dataKey = createDataKey();
  await insertDataKey(world.pool, { platform, subject: id, sealed: sealDataKey(sealer, { platform, subject: id, dataKey }) });
  const email = `${randomToken(9).toLowerCase()}@people.example`;
  const emailName = world.names.email(email);
  const name = openStream(nameDecider, emailName);
  const person: Person = {
    id,
    stream: openStream(accountDecider, id),
    names: [name],
    sealed:
      (fields) =>
      ({ streamId, version }) =>
        sealPersonal({ dataKey, platform, streamId, version, fields }),
  };
  const request = requestOf(actorOf(person));
  await world.record(request, () => {
    const registered = person.stream.decide(
      { type: 'register', emailName, kind: 'person', emailVerified: true },
      person.sealed({ email, name: `Person ${email.slice(0, 6)}` }),
    );
    const claimed = name.decide({ type: 'claim', kind: 'email', owner: id });
    return { writes: [registered.write, claimed.write], reads: [world.own], refusal: registered.refusal ?? claimed.refusal };
  });
  await world.record(request, () => {
    const { write, refusal } = person.stream.decide({ type: 'setPassword', credentialId: randomUuid() });
    return { writes: [write], reads: [], refusal };
  });
  world.made.accounts.push(id);
  return person;
};

const change = (world: World, person: Person, actor: Actor, ...commands: readonly AccountCommand[]) => {
  const request = requestOf(actor);
  return commands.reduce<Promise<unknown>>(async (before, command) => {
    await before;
    const seal = command.type === 'setContexts' ? person.sealed({ 'record-1': 'My own', 'record-2': 'My child’s' }) : undefined;
    return world.record(request, () => {
      const { write, refusal } = person.stream.decide(command, seal);
      return { writes: [write], reads: [], refusal };
    });
  }, Promise.resolve());
};

/** An identity provider's person is this one from now on. */
const link = async (world: World, person: Person): Promise<void> => {
  const issuer = 'https://identity.example';
  const subjectName = world.names.externalSubject(issuer, randomUuid());
  const name = openStream(nameDecider, subjectName);
  const { commitId } = await world.record(requestOf(actorOf(person)), () => {
    const linked = person.stream.decide({ type: 'linkSubject', issuer, subjectName });
    if (linked.write.events.length === 0) return { writes: [], reads: [], refusal: linked.refusal };
    const claimed = name.decide({ type: 'claim', kind: 'external_subject', owner: person.id });
    return { writes: [linked.write, claimed.write], reads: [] };
  });
  if (commitId !== null) person.names.push(name);
};

const settle = async (world: World, random: Random, person: Person): Promise<void> => {
  const own = actorOf(person);
  switch (random.below(9)) {
    case 0:
      return void (await change(world, person, operator, {
        type: 'assignRoles',
        roles: random.sample(['nurse', 'doctor', 'administrator'], 2),
      }));
    case 1:
      return void (await change(world, person, own, { type: 'setContexts', contexts: ['record-1', 'record-2'] }));
    case 2:
    case 3: {
      const [credentialId, codes] = [randomUuid(), randomUuid()];
      const enrol: AccountCommand = { type: 'enrolMfa', factor: random.pick(['totp', 'passkey']), credentialId };
      return void (await change(world, person, own, enrol, { type: 'setRecoveryCodes', credentialId: codes, count: 10 }));
    }
    case 4:
      return void (await change(world, person, own, { type: 'removeMfa', factor: 'totp' }));
    case 5:
      return void (await change(world, person, own, { type: 'setPassword', credentialId: randomUuid() }));
    case 6:
      return void (await change(world, person, own, { type: 'useRecoveryCode', index: random.below(10) }));
    default:
      return link(world, person);
  }
};

const trouble = async (world: World, random: Random, person: Person): Promise<void> => {
  if (random.happens(0.4)) return void (await change(world, person, actorOf(person), { type: 'revokeGrants', reason: 'lost_device' }));
  await change(world, person, operator, { type: 'disable', reason: 'complaints' });
  await signIn(world, random, person);
  await change(world, person, operator, { type: 'enable' });
};

const erase = (world: World, person: Person) =>
  world.record(requestOf(actorOf(person)), () => {
    const { write, refusal } = person.stream.decide({ type: 'erase' });
    return { writes: [write, ...person.names.map((name) => name.decide({ type: 'release', owner: person.id }).write)], reads: [], refusal };
  });

/** One person, from registration through some visits and what they allowed in them, to the end or to be left as they are. */
export const livePerson = async (world: World, random: Random): Promise<void> => {
  const person = await signUp(world);
  const grants: Promise<void>[] = [];
  const visits = 1 + random.below(6);
  for (let visit = 0; visit < visits && !world.isOver(); visit += 1) {
    if (random.happens(0.5)) await settle(world, random, person);
    const visiting = await signIn(world, random, person);
    if (visiting === null) continue;
    for (let n = random.below(3); n >= 0; n -= 1)
      grants.push(random.happens(0.25) ? bySession(world, random.fork(), visiting) : byCode(world, random.fork(), visiting));
    if (random.happens(0.3)) await Promise.all(grants);
    if (random.happens(0.5)) await endSignIn(world, random, visiting);
    if (random.happens(0.06)) await trouble(world, random, person);
  }
  await Promise.all(grants);
  if (random.happens(0.08) && !world.isOver()) await erase(world, person);
};
