/** For the environment of programs that a test starts from their sources: they need not compile what others have. */
export const compiled: Readonly<Record<string, string>> = Object.fromEntries(Object.entries(process.env).filter(([name]) => name === "NODE_COMPILE_CACHE")) as Record<string, string>;
