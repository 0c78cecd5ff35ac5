import { errorType } from "../../platform/errors.ts";

export const SubscriptionGone = errorType("subscription-gone", 409, "Nobody follows this subscription any more");
export const DeadLetterNotFound = errorType("dead-letter-not-found", 404, "There is no such dead letter");
