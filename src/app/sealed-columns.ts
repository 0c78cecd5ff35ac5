import { sealedColumns as ofInventory } from "../modules/inventory/index.ts";
import { sealedColumns as ofNotifications } from "../modules/notifications/index.ts";
import { sealedColumns as ofOrganizations } from "../modules/organizations/index.ts";
import { subjectKeyColumn } from "../platform/events/subject-keys.ts";
import type { SealedColumn } from "../platform/secrets/sealed-column.ts";
import { dataKeyColumn } from "./data-keys.ts";

/** Every column of the database that holds what the platform's keys sealed or wrapped; a test looks for others. */
export const sealedColumns: readonly SealedColumn[] = [dataKeyColumn, subjectKeyColumn, ...ofOrganizations, ...ofInventory, ...ofNotifications];

/** Columns that look like it and are not, and why. */
export const sealedOtherwise: Readonly<Record<string, string>> = {
  "events.private.body": "sealed under the key of its subject, which lies in events.subject_keys",
};
