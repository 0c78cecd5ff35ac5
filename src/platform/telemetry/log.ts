import { pino, type DestinationStream, type Logger } from "pino";

const secrets = [
  "authorization", "cookie", "password", "newPassword", "currentPassword", "token", "secret", "apiKey", "key",
  "*.authorization", "*.cookie", "*.password", "*.newPassword", "*.currentPassword", "*.token", "*.secret", "*.apiKey",
];

/** What helps to find the cause. Errors of libraries carry whole connections with them, which stay out of the log. */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code } = error as { code?: unknown };
  return {
    type: error.name, message: error.message, stack: error.stack,
    ...(code === undefined ? {} : { code }),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}

/** JSON lines with ISO times; fields that may hold a secret are cut out. */
export function createLog(level: string, destination?: DestinationStream): Logger {
  const options = {
    serializers: { err: describeError },
    level, base: { service: "qinfra" }, redact: { paths: secrets, censor: "[redacted]" },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
