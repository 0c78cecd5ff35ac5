import { analytics } from "../modules/analytics/index.ts";
import { approvals } from "../modules/approvals/index.ts";
import { audit } from "../modules/audit/index.ts";
import { events } from "../modules/events/index.ts";
import { images } from "../modules/images/index.ts";
import { inventory } from "../modules/inventory/index.ts";
import { notifications } from "../modules/notifications/index.ts";
import { organizations } from "../modules/organizations/index.ts";
import { projections } from "../modules/projections/index.ts";
import { software } from "../modules/software/index.ts";
import { vulnerabilities } from "../modules/vulnerabilities/index.ts";
import { workflows } from "../modules/workflows/index.ts";
import type { Module } from "../platform/operation/index.ts";

/** Every module of the platform. A new one is added here and nowhere else. */
export const modules: readonly Module[] = [organizations, audit, workflows, approvals, events, inventory, software, images, vulnerabilities, analytics, projections, notifications];
