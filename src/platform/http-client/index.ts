export { AnswerInvalid, AnswerTooLarge, CircuitOpen, RedirectRefused, TimedOut, Unreachable, UrlRefused } from "./errors.ts";
export { createHttpClient, type HttpClientOptions } from "./http-client.ts";
export type { HttpClient, HttpRequest, HttpResponse } from "./types.ts";
