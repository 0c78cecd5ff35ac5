/** Task of the worker pool: {components, advisories, ecosystems} -> MatchResult. */
export const matchTask = "vulnerabilities.match";
