/** Where in a feed something is wrong. */
export interface FeedPlace {
  /** The file, or what its input is called. */
  file: string;
  /** Name of the entry in a zip archive. */
  entry?: string;
  /** Counted from 1. */
  line?: number;
  /** Path inside the record: `affected[0].ranges[1].events`. */
  field?: string;
}

/** A feed that is refused whole: its message says where and why. */
export class FeedError extends Error {
  readonly place: FeedPlace;
  readonly reason: string;

  constructor(place: FeedPlace, reason: string, options?: ErrorOptions) {
    const parts = [
      place.file,
      place.entry,
      place.line === undefined ? undefined : `line ${place.line}`,
      place.field === undefined || place.field === "" ? undefined : `field ${place.field}`,
    ];
    super(`${parts.filter((part) => part !== undefined).join(", ")}: ${reason}`, options);
    this.name = "FeedError";
    this.place = place;
    this.reason = reason;
  }
}
