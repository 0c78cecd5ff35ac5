import { errorType } from "../errors.ts";

export const MailRefused = errorType("mail-refused", 502, "The mail server does not take this message");
export const MailUnreachable = errorType("mail-unreachable", 502, "The mail server cannot be reached");
