export type Contact = { readonly contactId: number; readonly firstName: string; readonly lastName: string; readonly email: string };

export type TrainingEvent = {
  readonly eventId: number;
  readonly code: string;
  readonly name: string;
  readonly startsAt: string;
  /** The contact who presents it. */
  readonly presenterContactId: number;
};

/** The contact that stands for the demo's presenter. */
export const presenterContactId = 562;

const contacts: readonly Contact[] = [
  { contactId: 318, firstName: 'Ngaire', lastName: 'Tūhoe & Sons', email: 'ngaire@example.org' },
  { contactId: 562, firstName: 'Paula', lastName: 'Presenter', email: 'paula@example.org' },
  { contactId: 771, firstName: 'Søren', lastName: "O'Hara", email: 'soren@example.org' },
];

const events: readonly TrainingEvent[] = [
  { eventId: 41, code: 'FA-01', name: 'First aid', startsAt: '2027-02-01T09:00:00+13:00', presenterContactId: 562 },
  { eventId: 42, code: 'FA-02', name: 'First aid <advanced>', startsAt: '2027-02-08T09:00:00+13:00', presenterContactId: 562 },
  { eventId: 57, code: 'FS-01', name: 'Fire safety & evacuation', startsAt: '2027-03-15T13:30:00+13:00', presenterContactId: 318 },
];

/** The records of the demo, in memory: what is changed lasts as long as the process. */
export type Records = {
  readonly events: () => readonly TrainingEvent[];
  readonly contacts: () => readonly Contact[];
  readonly contact: (id: number) => Contact | undefined;
  readonly replace: (contact: Contact) => void;
};

export const createRecords = (): Records => {
  const byId = new Map(contacts.map((contact) => [contact.contactId, contact]));
  return {
    events: () => events,
    contacts: () => [...byId.values()],
    contact: (id) => byId.get(id),
    replace: (contact) => void byId.set(contact.contactId, contact),
  };
};
