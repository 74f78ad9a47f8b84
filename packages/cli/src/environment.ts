/** The environment as it was given: the only file of this package that reads it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A copy of the environment, to be parsed and to be passed on to the services. */
export const readEnvironment = (): Environment => ({ ...process.env });

/** Where executables are looked for. */
export const executablePath = (): string => process.env.PATH ?? '';
