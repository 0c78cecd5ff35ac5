import { describe, expect, it } from "vitest";
import { parseSmtpUrl } from "./smtp-url.ts";

describe("SMTP_URL", () => {
  it.each([
    ["smtps://me:p%40ss@mail.example", { host: "mail.example", port: 465, tls: "implicit", user: "me", password: "p@ss" }],
    ["smtps://mail.example:8465", { host: "mail.example", port: 8465, tls: "implicit" }],
    ["smtp://me:pass@mail.example", { host: "mail.example", port: 587, tls: "starttls", user: "me", password: "pass" }],
    ["smtp://localhost:1025?tls=none", { host: "localhost", port: 1025, tls: "none" }],
    ["smtp://[::1]:25?tls=none", { host: "::1", port: 25, tls: "none" }],
  ])("%s", (text, server) => {
    expect(parseSmtpUrl(text)).toEqual(server);
  });

  it.each([
    ["mail.example", "is no URL"], ["smtp://", "is no URL"], ["smtp://me:secret@mail.example?tls=none", "in the clear"], ["smtps://mail.example?tls=none", "give one of them"], ["smtp://mail.example?starttls=off", "not known"],
  ])("given %s, then it says what is wrong and not the password", (text, part) => {
    expect(() => parseSmtpUrl(text)).toThrow(part);
    expect(() => parseSmtpUrl(text)).not.toThrow("secret");
  });
});
