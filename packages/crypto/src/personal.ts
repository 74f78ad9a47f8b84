import { randomBytes } from 'node:crypto';
import { decrypt, encrypt, SealBroken } from './aead.ts';
import { frame } from './framing.ts';

/** Personal data of one event: names and texts. */
export type PersonalFields = Readonly<Record<string, string>>;

/** Where an event stands; sealed data opens at no other place. */
type Place = { readonly platform: string; readonly streamId: string; readonly version: number };

const formatVersion = 1;
// Erasing the key leaves the ciphertext's length; rounded up, it does not tell the length of a name.
const paddingUnit = 32;

const associated = (place: Place): Buffer => frame('grantlog personal v1', place.platform, place.streamId, String(place.version));

const isFields = (value: unknown): value is PersonalFields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every((field) => typeof field === 'string');

/** A new data key for one subject: 32 bytes. Whoever destroys its last copy has erased the subject. */
export const createDataKey = (): Uint8Array => randomBytes(32);

/** Seals personal data under its subject's data key for one event: AES-256-GCM, bound to platform, stream and version. */
export const sealPersonal = (input: Place & { readonly dataKey: Uint8Array; readonly fields: PersonalFields }): Uint8Array => {
  const json = Buffer.from(JSON.stringify(input.fields), 'utf8');
  // JSON allows white space at its end, so padding needs no length of its own.
  const plaintext = Buffer.alloc(Math.ceil(json.byteLength / paddingUnit) * paddingUnit, ' ');
  plaintext.set(json);
  return Buffer.concat([Uint8Array.of(formatVersion), encrypt({ key: input.dataKey, plaintext, aad: associated(input) })]);
};

/** Undoes {@link sealPersonal}. @throws SealBroken under another data key, at another place, or for altered bytes. */
export const openPersonal = (input: Place & { readonly dataKey: Uint8Array; readonly sealed: Uint8Array }): PersonalFields => {
  if (input.sealed[0] !== formatVersion) throw new SealBroken();
  const plaintext = decrypt({ key: input.dataKey, sealed: input.sealed.subarray(1), aad: associated(input) });
  const fields: unknown = JSON.parse(plaintext.toString('utf8'));
  if (!isFields(fields)) throw new SealBroken();
  return fields;
};
