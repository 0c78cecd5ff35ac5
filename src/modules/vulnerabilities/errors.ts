import { errorType } from "../../platform/errors.ts";

export const FeedRefused = errorType("feed-refused", 422, "The feed is not good, so nothing of it was taken in");
export const FeedNotFound = errorType("feed-not-found", 404, "There is no such feed");
export const FeedUnreachable = errorType("feed-unreachable", 502, "The feed's source does not answer");
export const EcosystemUnknown = errorType("ecosystem-unknown", 404, "The feed's source has no such ecosystem");
export const AdvisoryNotFound = errorType("advisory-not-found", 404, "No advisory of this name is loaded");
export const TooManyFindings = errorType("too-many-findings", 422, "These components have more findings than a report can hold");
