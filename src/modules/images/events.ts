/** What this module appends. `software.recorded` is shared with inventory: its data is {kind, componentSet}. */
export const events = {
  registered: "images.registered",
  tagged: "images.tagged",
  deleted: "images.deleted",
  softwareRecorded: "software.recorded",
} as const;
