import { type Sealer, sha256, uuidFromBytes } from '@grantlog/crypto';
import {
  type AccountId,
  accountDecider,
  type ClientEvent,
  type ClientRecord,
  clientDecider,
  foldVersion,
  type PlatformDocument,
  platformDecider,
  platformStream,
} from '@grantlog/domain';
import { fold, type LoadedStream, type PlatformId, type RecordedEvent, type StreamId } from '@grantlog/eventsourcing';
import { insertMail, loadBatch, type RawStream, type Subscription, streamKey, type Transaction } from '@grantlog/postgres';
import { readPersonal, sealMail } from '@grantlog/provisioning';
import { type ApprovalDecision, approvalMail } from './approval-mail.ts';

const day = 86_400_000;
/** Older decisions are history: a checkpoint that was lost must not tell everybody everything again. Below what mails are kept. */
const newsFor = 7 * day;

const decisionOf = (event: RecordedEvent<ClientEvent>): ApprovalDecision | null => {
  switch (event.type) {
    case 'client.approved':
      return { kind: 'approved' };
    case 'client.rejected':
      return { kind: 'rejected', reason: event.data.reason };
    case 'client.change_rejected':
      return { kind: 'change_rejected', reason: event.data.reason };
    case 'client.registered':
    case 'client.updated':
    case 'client.resubmitted':
    case 'client.change_proposed':
    case 'client.change_withdrawn':
    case 'client.secret_rotated':
    case 'client.disabled':
    case 'client.enabled':
    case 'client.grants_revoked':
    case 'client.used':
    case 'client.deleted':
      return null;
  }
};

/** The id of the mail about one event: the same event told again inserts nothing. */
const mailIdOf = ({ platform, position, recordedAt }: RecordedEvent): string => {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(Math.floor(recordedAt), 0, 6);
  bytes.set(sha256(['grantlog mail', platform, position].join('\n')).subarray(0, 10), 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return uuidFromBytes(bytes);
};

type Party = {
  readonly document: PlatformDocument;
  readonly client: ClientRecord;
  readonly account: AccountId;
  readonly email: string;
};

/** Folds without snapshots: these streams are short, and there is no MAC to check. */
const loadedOf = ({ streamId, events, credentials, dataKey }: RawStream): LoadedStream => ({
  streamId,
  version: events.at(-1)?.version ?? 0,
  snapshot: null,
  events,
  credentials,
  dataKey,
});

/** The app that a decision is about and the developer whose it is, as they stand now; null where there is nobody to tell. */
const partyOf = async (client: Transaction, sealer: Sealer, platform: PlatformId, app: StreamId): Promise<Party | null> => {
  const load = async (streamId: StreamId, withSecrets: boolean): Promise<LoadedStream | null> => {
    const request = { platform, streamId, follow: false, withSecrets };
    const raw = (await loadBatch(client, [request], { foldVersion, useSnapshots: false })).streams.get(streamKey(platform, streamId));
    return raw === undefined ? null : loadedOf(raw);
  };
  const [configured, registered] = [await load(platformStream, false), await load(app, false)];
  if (configured === null || registered === null) return null;
  const [owner, record] = [fold(platformDecider, configured), fold(clientDecider, registered)];
  if (owner.status === 'none' || record.status === 'none' || record.status === 'deleted' || record.owner === null) return null;
  const account = await load(record.owner, true);
  if (account === null) return null;
  const state = fold(accountDecider, account);
  if (state.status === 'none' || state.status === 'erased') return null;
  const personal = readPersonal(sealer, { platform, subject: record.owner, wrappedKey: account.dataKey, personal: state.personal });
  const email = personal === 'erased' ? undefined : personal['email'];
  return email === undefined ? null : { document: owner.document, client: record, account: record.owner, email };
};

/**
 * Writes developers what operators decided about their apps. The mail goes into the outbox in the transaction of the
 * checkpoint, under an id of the event's own: exactly one mail a decision, however often the log is read.
 */
export const createTellDevelopers = (options: {
  readonly sealer: Sealer;
  readonly publicUrl: string;
  readonly now?: () => number;
}): Subscription => {
  const { sealer, publicUrl, now = Date.now } = options;
  return {
    name: 'tell-developers',
    handle: async (client, { platform, events }) => {
      for (const event of events) {
        if (!event.type.startsWith('client.') || event.recordedAt < now() - newsFor) continue;
        // The type's prefix says whose event it is.
        const decision = decisionOf(event as unknown as RecordedEvent<ClientEvent>);
        const party = decision === null ? null : await partyOf(client, sealer, platform, event.streamId);
        if (decision === null || party === null) continue;
        const issuer = party.document.issuer ?? `${publicUrl}/${party.document.name}`;
        const words = approvalMail({ document: party.document, issuer, client: party.client, decision });
        await insertMail(client, sealMail(sealer, { ...words, platform, id: mailIdOf(event), account: party.account, to: party.email }));
      }
    },
  };
};
