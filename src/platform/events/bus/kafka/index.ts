export type { KafkaOptions } from "./clients.ts";
export { openKafkaBus } from "./kafka-bus.ts";
