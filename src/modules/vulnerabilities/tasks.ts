/** Task of the worker pool: {components, advisories, ecosystems} -> MatchResult. */
export const matchTask = "vulnerabilities.match";

/** Task of the worker pool: components -> the distinct look-ups of `lookUpsOf`. Reading 20,000 purls takes a second. */
export const lookUpTask = "vulnerabilities.look-ups";

/** More is no inventory of a machine; its report would fill the memory of whoever asks for it. */
export const mostFindings = 100_000;

/** The subscription that callers of a recorded scan wait for. */
export const matchSubscriptionId = "vulnerabilities.match";
