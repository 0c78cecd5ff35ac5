import { pino, type DestinationStream, type Logger } from "pino";

const secrets = [
  "authorization", "cookie", "password", "newPassword", "currentPassword", "token", "secret", "apiKey", "key",
  "*.authorization", "*.cookie", "*.password", "*.newPassword", "*.currentPassword", "*.token", "*.secret", "*.apiKey",
];

/** JSON lines with ISO times; fields that may hold a secret are cut out. */
export function createLog(level: string, destination?: DestinationStream): Logger {
  const options = {
    level, base: { service: "qinfra" }, redact: { paths: secrets, censor: "[redacted]" },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
