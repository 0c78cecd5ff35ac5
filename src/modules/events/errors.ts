import { errorType } from "../../platform/errors.ts";

export const DeadLetterNotFound = errorType("dead-letter-not-found", 404, "There is no such dead letter");
