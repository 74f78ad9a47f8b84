import type { Sealer } from '@grantlog/crypto';
import { holdDataKeys } from '@grantlog/postgres';
import { type PlatformDirectory, readPersonal } from '@grantlog/provisioning';
import type { AddressDigests, SealedAddress } from '@grantlog/read-models';

/**
 * Opens the addresses that events tell and gives the platform's keyed hash of each; none for one whose data key is gone. The keys
 * stay as long as the transaction that asks, so that an erasure finds every hash.
 *
 * @throws SealBroken when a key was sealed under a secret this process does not have.
 */
export const createAddressDigests =
  (reading: { readonly directory: PlatformDirectory; readonly sealer: Sealer }): AddressDigests =>
  async (client, { platform, sealed }) => {
    const names = await reading.directory.open(platform);
    if (names === null) return new Map();
    const keys = await holdDataKeys(client, { platform, subjects: [...new Set(sealed.map(({ subject }) => subject))] });
    const digestOf = ({ subject, event }: SealedAddress): Uint8Array | null => {
      const { streamId, version, personal } = event;
      const fields = readPersonal(reading.sealer, {
        platform,
        subject,
        wrappedKey: keys.get(subject) ?? null,
        personal: personal === null ? null : { sealed: personal.toBase64(), streamId, version },
      });
      return fields === 'erased' ? null : names.address(fields['address'] ?? '');
    };
    return new Map(
      sealed.flatMap((each): readonly (readonly [number, Uint8Array])[] => {
        const digest = digestOf(each);
        return digest === null ? [] : [[each.event.position, digest]];
      }),
    );
  };
