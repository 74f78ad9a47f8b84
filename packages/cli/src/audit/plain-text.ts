const unsafe = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** Text of others as a terminal may show it: strangers name their own clients, and an escape in a name could rewrite the lines around it. */
export const plainText = (text: string): string => text.replaceAll(unsafe, '\ufffd');
