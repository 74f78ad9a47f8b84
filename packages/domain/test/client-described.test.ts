import { specification } from '@grantlog/eventsourcing';
import { describe, expect, test } from 'vitest';
import { type ClientEvent, clientDecider } from '../src/index.ts';
import { deleted, publicOne, registered } from './client-fixtures.ts';

const { given, replay } = specification(clientDecider);
const { name, redirectUris, grantTypes, authMethods } = publicOne;
const settings = { name, redirectUris, grantTypes, authMethods };
const described: ClientEvent = { type: 'client.registered', data: { ...publicOne, how: 'metadata_document' } };
const jwksUri = 'https://robot.example/keys';
const redescribe = (changes: object, kind: 'public' | 'confidential' = 'public') =>
  ({ type: 'redescribe', kind, settings: { ...settings, ...changes } }) as const;

describe('a client that its document describes', () => {
  test('records what the document says anew, and nothing where it says the same', () => {
    given([described]).when(redescribe({})).expect({ events: [] });
    given([described])
      .when(redescribe({ name: 'Tobor', redirectUris: ['https://tobor.example/cb'] }))
      .expect({ events: [{ type: 'client.updated', data: { name: 'Tobor', redirectUris: ['https://tobor.example/cb'] } }] });
  });

  test('may come to have keys instead of nothing, and go back', () => {
    const data = { authMethods: ['private_key_jwt'], jwksUri, kind: 'confidential' } as const;
    const changed: ClientEvent = { type: 'client.updated', data };
    given([described])
      .when(redescribe({ authMethods: ['private_key_jwt'], jwksUri }, 'confidential'))
      .expect({ events: [changed] });
    expect(replay([described, changed])).toMatchObject({ kind: 'confidential', approval: 'approved' });
    given([described, changed])
      .when(redescribe({ jwksUri: null }))
      .expect({ events: [{ type: 'client.updated', data: { authMethods: ['none'], jwksUri: null, kind: 'public' } }] });
  });

  test('cannot be described in contradictions', () => {
    given([described])
      .when(redescribe({ authMethods: ['private_key_jwt'] }, 'confidential'))
      .expect({ events: [], refusal: 'keys_missing' });
    given([described]).when(redescribe({}, 'confidential')).expect({ events: [], refusal: 'auth_method_not_allowed' });
    given([described, deleted]).when(redescribe({})).expect({ events: [], refusal: 'client_deleted' });
  });
});

test('a client that somebody registered is not described by a document', () => {
  given([registered]).when(redescribe({})).expect({ events: [], refusal: 'not_described' });
});
