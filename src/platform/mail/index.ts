export { MailRefused, MailUnreachable } from "./errors.ts";
export { createSmtpMailer, type SmtpOptions } from "./smtp-mailer.ts";
export { parseSmtpUrl, type SmtpServer } from "./smtp-url.ts";
export type { Mail, MailAnswer, Mailer } from "./types.ts";
