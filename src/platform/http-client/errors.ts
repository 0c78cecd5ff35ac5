import { errorType } from "../errors.ts";

export const UrlRefused = errorType("outbound-url-refused", 400, "This URL may not be called from here");
export const RedirectRefused = errorType("outbound-redirect-refused", 502, "The other side redirects to where this may not go");
export const Unreachable = errorType("outbound-unreachable", 502, "The other side cannot be reached");
export const TimedOut = errorType("outbound-timeout", 504, "The other side did not answer in time");
export const AnswerTooLarge = errorType("outbound-too-large", 502, "The other side's answer is too large");
export const AnswerInvalid = errorType("outbound-answer-invalid", 502, "The other side's answer cannot be read");
export const CircuitOpen = errorType("outbound-circuit-open", 503, "The other side failed too often and is left alone for a while");
