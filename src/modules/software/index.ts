import type { Module } from "../../platform/operation/index.ts";
import * as events from "./events.ts";

/** Owns the package dictionary and the component sets; it has no operation of its own, other modules use it. */
export const software: Module = { name: "software", events: Object.values(events), operations: [] };

export { SoftwareRecorded } from "./events.ts";
export { internComponents } from "./intern.ts";
export { componentsOf, componentSetIds } from "./views.ts";
export { sweepSoftware } from "./sweep.ts";
export { ComponentInput, ComponentsInput, OperatingSystem, OperatingSystemInput, componentsMaxBytes, shownOs } from "./schemas.ts";
export type { Component } from "./component.ts";
