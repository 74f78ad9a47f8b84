import { describe, expect, test } from 'vitest';
import { judgeWebhook } from '../../../test/support/judge-webhook.ts';
import { type EventType, enabledType, eventTypes, type Telling } from '../src/index.ts';
import { tellings } from '../src/told-events/tellings.ts';

type Body = { readonly type: string; readonly timestamp: string; readonly data: Readonly<Record<string, unknown>> };
type DataSchema = { readonly required: readonly string[]; readonly properties: Readonly<Record<string, object>> };

const bodyOf = ({ example }: EventType): Body => example as unknown as Body;
const dataSchemaOf = ({ schema }: EventType): DataSchema =>
  (schema as { readonly properties: { readonly data: DataSchema } }).properties.data;
const named = eventTypes.map((described) => [described.type, described] as const);
const typesThat = (are: (described: EventType) => boolean): readonly string[] => eventTypes.filter(are).map(({ type }) => type);

describe('the catalogue of event types', () => {
  test('has every type that the table tells, and no other', () => {
    const told = Object.values<Telling<never>>(tellings).flatMap((telling) => (telling === 'untold' ? [] : telling.as));
    expect(typesThat(() => true).toSorted()).toEqual([...new Set([...told, enabledType])].toSorted());
    expect(eventTypes.length).toBeGreaterThan(20);
  });

  test.each(named)('gives %s an example that is as its schema says, of all that it may have', (_type, described) => {
    const body = bodyOf(described);
    expect(judgeWebhook(body)).toEqual([]);
    expect(Object.keys(body.data).toSorted()).toEqual(Object.keys(dataSchemaOf(described).properties).toSorted());
  });

  test.each(named)('describes each member of %s, and stays open to later ones', (_type, described) => {
    const { properties } = dataSchemaOf(described);
    for (const [name, member] of Object.entries(properties))
      expect([name, member]).toEqual([name, expect.objectContaining({ description: expect.stringMatching(/^[A-Z].{7}/) })]);
    expect(JSON.stringify(described.schema)).not.toContain('additionalProperties');
    expect(described.description).toMatch(/^[A-Z].*\.$/);
  });

  test('says of every instant in numbers what it counts', () => {
    const instants = eventTypes.flatMap((described) =>
      Object.entries(dataSchemaOf(described).properties).filter(([name]) => name.endsWith('At')),
    );
    expect(instants.length).toBeGreaterThan(3);
    for (const [, schema] of instants)
      expect(schema).toMatchObject({
        description: expect.stringContaining('whole seconds since the epoch'),
        examples: [expect.toSatisfy((at: number) => at > 1_700_000_000 && at < 2_000_000_000)],
      });
  });

  test('says which come first and which come last', () => {
    expect(typesThat(({ endsSubject }) => endsSubject)).toEqual([
      'grant.expired',
      'grant.revoked',
      'account.erased',
      'sign_in.ended',
      'client.deleted',
      'session.denied',
      'session.expired',
      'session.revoked',
    ]);
    expect(typesThat(({ urgent }) => urgent)).toEqual([
      'grant.refresh_reused',
      'grant.code_replayed',
      'grant.access_token_revoked',
      'grant.revoked',
      'account.disabled',
      'account.erased',
      'sign_in.ended',
      'client.disabled',
      'client.deleted',
      'session.denied',
      'session.revoked',
    ]);
  });

  test('names no secret, and nothing of a person', () => {
    for (const described of eventTypes) {
      const names = Object.keys(dataSchemaOf(described).properties);
      expect(
        names.filter((name) =>
          /secret|password|email|name|nonce|hash|credential|code|(token|key)$/i.test(name.replace(/ession(Session)?Key$/, '')),
        ),
      ).toEqual([]);
      // What happened to a password is told, and nothing of it.
      const written = JSON.stringify([described.schema, described.example]).replace(/account\.password_set|a new password/g, '');
      expect(written).not.toMatch(/secret|password|e-?mail|whsec_|whpk_|gr[a-z]_/i);
    }
  });
});

describe('the judge of webhooks', () => {
  const revoked = bodyOf(eventTypes.find(({ type }) => type === 'grant.revoked') as EventType);
  const withData = (change: object): Body => ({ ...revoked, data: { ...revoked.data, ...change } });

  test.each<[string, { readonly type: string }, string]>([
    ['a type that is not there', { ...revoked, type: 'grant.forgotten' }, 'in no catalogue'],
    ['a member that nobody described', withData({ password: 'x' }), '/data'],
    ['one beside the data', { ...revoked, secret: 'x' } as Body, 'grant.revoked  must not'],
    ['a reason that there is not', withData({ reason: 'for_fun' }), '/data/reason'],
    ['a member that is missing', { ...revoked, data: {} } as Body, 'required'],
    ['an id that is none', withData({ grantId: 'grant 7' }), '/data/grantId'],
    ['a time that is none', { ...revoked, timestamp: 'yesterday' }, '/timestamp'],
  ])('finds %s', (_what, body, found) => {
    expect(judgeWebhook(body).join('\n')).toContain(found);
  });
});
