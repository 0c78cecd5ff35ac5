import { InvalidInput, fail } from "../../../errors.ts";

export interface Broker {
  host: string;
  port: number;
}

const form = "write it as kafka://host:port or kafka://host:port,host:port";

/** The brokers that a `kafka://host:port[,host:port]` names; 9092 where the port is missing. Errors: InvalidInput. */
export function kafkaBrokers(url: string): Broker[] {
  const rest = /^kafka:\/\/([^/?#]+)\/?$/.exec(url)?.[1];
  // The text is not repeated: it may hold a password.
  if (rest === undefined) fail(InvalidInput, `The address of Kafka is not one: ${form}.`);
  if (rest.includes("@")) fail(InvalidInput, `The address of Kafka holds a user name or a password; ${form}, and sign in with a certificate.`);
  return rest.split(",").map((part) => {
    const match = /^(?:\[([0-9a-fA-F:]+)\]|([^\s:[\]]+))(?::(\d{1,5}))?$/.exec(part);
    const port = Number(match?.[3] ?? 9092);
    const host = match?.[1] ?? match?.[2];
    if (host === undefined || port < 1 || port > 65_535) fail(InvalidInput, `The address of Kafka names a broker that is none, ${JSON.stringify(part)}: ${form}.`);
    return { host, port };
  });
}
