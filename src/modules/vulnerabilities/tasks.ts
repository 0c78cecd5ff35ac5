/** Task of the worker pool: {components, advisories, ecosystems} -> MatchResult. */
export const matchTask = "vulnerabilities.match";

/** The subscription that callers of a recorded scan wait for. */
export const matchSubscriptionId = "vulnerabilities.match";
