/** How long a session lasts by its door, however it began. */
export const sessionLifetimeMs = { browser: 12 * 3_600_000, cli: 30 * 86_400_000 };
