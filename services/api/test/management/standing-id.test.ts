import { standingId, uuidv7 } from '@grantlog/crypto';
import { standingKinds, systemPlatform } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { expect, test } from 'vitest';
import { mayManage } from '../../src/management/operator.ts';
import { standingIdOf } from '../../src/management/standing-id.ts';

test('an id is taken only as the kind that it says it is', () => {
  for (const kind of Object.values(standingKinds)) {
    for (const other of Object.values(standingKinds)) {
      const id = standingId(other);
      expect(standingIdOf(kind, id)).toBe(kind === other ? id : null);
    }
    expect(standingIdOf(kind, uuidv7(Date.now()))).toBeNull();
    expect(standingIdOf(kind, standingId(kind).toUpperCase().replace('8', 'A'))).toBeNull();
  }
});

test('a role narrowed to the system platform, however it came to be, manages nothing', () => {
  expect(mayManage({ roles: ['operator:system'] }, systemPlatform)).toBe(false);
  expect(mayManage({ roles: ['operator:system'] }, 'arlo' as PlatformId)).toBe(false);
  expect(mayManage({ roles: ['operator:arlo'] }, 'arlo' as PlatformId)).toBe(true);
  expect(mayManage({ roles: ['auditor', 'operator:arlo-health'] }, 'arlo' as PlatformId)).toBe(false);
});
