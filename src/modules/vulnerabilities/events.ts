/** What this module appends. */
export const events = {
  /** A version of a feed became current; data is {records, digest}. In the platform organization. */
  feedPublished: "vulnerabilities.feed-published",
  /** One component set was matched; data holds the database digest and counts. */
  matched: "vulnerabilities.matched",
} as const;

/** Appended by images and inventory when software of an image or asset becomes known. */
export const softwareRecorded = "software.recorded";
