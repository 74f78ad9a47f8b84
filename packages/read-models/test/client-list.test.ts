import { type ClientEvent, type ClientState, clientDecider, type DeveloperSettings } from '@grantlog/domain';
import type { RecordedEvent, StreamId } from '@grantlog/eventsourcing';
import { array, assert, constantFrom, integer, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { foldChanges } from '../src/client-list/fold-changes.ts';
import { clientListReducers } from '../src/client-list/reducers.ts';
import type { ClientListChange, ClientRow } from '../src/client-list/row.ts';

const owner = '00000000-0003-8000-8000-000000000001' as never;
const registered = (name: string): ClientEvent => ({
  type: 'client.registered',
  data: {
    clientId: 'robot' as never,
    kind: 'public',
    how: 'portal',
    owner,
    name,
    redirectUris: ['https://robot.example/cb'],
    grantTypes: ['authorization_code'],
    scopes: null,
    authMethods: ['none'],
    idTokenAlg: null,
    secretCredential: null,
    approval: 'pending',
    serves: [],
    roles: [],
    tokenNonce: null,
  },
});
const later: readonly ClientEvent[] = [
  { type: 'client.updated', data: { name: 'Updated' } },
  { type: 'client.updated', data: { scopes: ['read'] } },
  { type: 'client.updated', data: { kind: 'confidential' } },
  { type: 'client.approved', data: {} },
  { type: 'client.rejected', data: { reason: 'abuse' } },
  { type: 'client.resubmitted', data: {} },
  { type: 'client.change_proposed', data: { changes: { name: 'Proposed' } satisfies Partial<DeveloperSettings> } },
  { type: 'client.change_proposed', data: { changes: { scopes: null } } },
  { type: 'client.change_withdrawn', data: {} },
  { type: 'client.change_rejected', data: { reason: 'abuse' } },
  { type: 'client.disabled', data: { reason: 'abuse' } },
  { type: 'client.enabled', data: {} },
  { type: 'client.grants_revoked', data: { reason: 'abuse' } },
  { type: 'client.used', data: {} },
];

/** The events of one client as the log holds them. */
const stream = (events: readonly ClientEvent[], client = 'a'): readonly RecordedEvent[] =>
  events.map(
    (event, index) =>
      ({ ...event, streamId: client as StreamId, version: index + 1, position: index + 1, recordedAt: index + 1, personal: null }) as never,
  );
const changesOf = (events: readonly RecordedEvent[]): readonly ClientListChange[] =>
  events.flatMap((event) => {
    const reducer = clientListReducers[event.type as ClientEvent['type']] as ((event: RecordedEvent) => ClientListChange) | 'ignored';
    return reducer === 'ignored' ? [] : [reducer(event)];
  });
const history = array(constantFrom(...later), { maxLength: 20 }).map((rest) => [registered('Robot'), ...rest]);

describe('the list of clients', () => {
  test('says of a client what its own fold says, whatever happens to it', () => {
    assert(
      property(history, (events) => {
        const recorded = stream(events);
        const [row] = foldChanges([], changesOf(recorded));
        const state = recorded.reduce<ClientState>((folded, event) => clientDecider.evolve(folded, event as never), clientDecider.initial);
        if (state.status === 'none' || state.status === 'deleted') throw new Error('the client is there');
        expect(row).toMatchObject({
          clientId: state.clientId,
          name: state.name,
          owner: state.owner,
          status: state.status,
          approval: state.approval,
          hasProposal: state.proposed !== null,
          proposedName: state.proposed?.changes.name ?? null,
          used: state.used,
          version: recorded.length,
          position: recorded.length,
          firstPosition: 1,
        });
      }),
    );
  });

  test('comes to the same in one batch or in two, and taking a part in twice changes nothing', () => {
    assert(
      property(history, integer({ min: 0, max: 20 }), integer({ min: 0, max: 20 }), (events, cut, again) => {
        const changes = changesOf(stream(events));
        const whole = foldChanges([], changes);
        const first = foldChanges([], changes.slice(0, cut));
        const second = foldChanges(first, changes.slice(cut));
        expect(second.length === 0 ? first : second).toEqual(whole);
        expect(foldChanges(whole, changes.slice(0, again))).toEqual([]);
      }),
    );
  });

  test('keeps what was deleted as deleted, with nothing left to approve', () => {
    const events = [registered('Robot'), ...later.slice(5, 6), { type: 'client.deleted', data: {} } as const];
    expect(foldChanges([], changesOf(stream(events)))).toMatchObject([{ status: 'deleted', hasProposal: false, proposedName: null }]);
  });

  test('keeps clients apart', () => {
    const rows: readonly ClientRow[] = foldChanges(
      [],
      [...changesOf(stream([registered('One')])), ...changesOf(stream([registered('Two')], 'b'))],
    );
    expect(rows.map(({ client, name }) => [client, name])).toEqual([
      ['a', 'One'],
      ['b', 'Two'],
    ]);
  });

  test('refuses a change to a client that was never registered', () => {
    expect(() => foldChanges([], [{ kind: 'approve', client: 'a' as StreamId, version: 2, position: 2 }])).toThrow(
      /before it was registered/,
    );
  });
});
