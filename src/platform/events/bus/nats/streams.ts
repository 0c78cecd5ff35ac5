import { JetStreamApiCodes, JetStreamApiError, type JetStreamManager, type StreamConfig } from "@nats-io/jetstream";
import { deadStream, stream } from "./names.ts";

const seconds = 1_000_000_000;
const day = 86_400 * seconds;

type Wanted = Partial<StreamConfig> & { name: string; subjects: string[] };

const wanted: readonly Wanted[] = [
  {
    name: stream, subjects: ["qinfra.>", "qinfra-redrive.>"], storage: "file", retention: "limits", discard: "old",
    max_age: 30 * day, duplicate_window: 600 * seconds, allow_atomic: true, allow_direct: true,
  },
  { name: deadStream, subjects: ["qinfra-dead.>"], storage: "file", retention: "limits", discard: "old", max_msgs_per_subject: 1, allow_direct: true },
];

/** Makes the two streams where they are missing. Limits and replicas that an administrator has set are left as they are. */
export async function ensureStreams(manager: JetStreamManager): Promise<void> {
  for (const config of wanted) {
    const found = await infoOf(manager, config.name);
    if (found === undefined) await manager.streams.add(config);
    else if (lacks(found, config)) await manager.streams.update(config.name, { subjects: config.subjects, allow_direct: true, ...(config.allow_atomic === true ? { allow_atomic: true } : {}) });
  }
}

export function isNotFound(error: unknown): boolean {
  const code = error instanceof JetStreamApiError ? error.code : undefined;
  return code === JetStreamApiCodes.StreamNotFound || code === JetStreamApiCodes.ConsumerNotFound || code === JetStreamApiCodes.NoMessageFound;
}

async function infoOf(manager: JetStreamManager, name: string): Promise<StreamConfig | undefined> {
  try {
    return (await manager.streams.info(name)).config;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function lacks(found: StreamConfig, config: Wanted): boolean {
  return !config.subjects.every((subject) => found.subjects.includes(subject)) || !found.allow_direct || (config.allow_atomic === true && found.allow_atomic !== true);
}
