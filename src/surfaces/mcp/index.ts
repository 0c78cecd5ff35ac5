export { mountMcp, type McpOptions } from "./mount.ts";
