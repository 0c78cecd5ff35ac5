export interface CacheEntry {
  orgId: string;
  /** As the reference names it: `image:<id>`, `cve:<id>`. The organization is put before it. */
  key: string;
  /** What the value depends on, by the TypeIDs that events name as their subject. */
  subjects: readonly string[];
  /** Seconds that the value is kept at most. */
  seconds: number;
}

/** The cache port. Values are JSON. Its adapters pass `cacheContract`. A cache that is gone is no error: everything is loaded then. */
export interface Cache {
  /** The kept value, or what `load` answers, which is kept unless one of the subjects changed meanwhile. Many who ask at once load once. */
  through<T>(entry: CacheEntry, load: () => Promise<T>): Promise<T>;
  /** Ends what depends on one of the subjects, on every server. */
  invalidate(orgId: string, subjects: readonly string[]): Promise<void>;
  /** Ends everything of an organization, on every server. */
  clear(orgId: string): Promise<void>;
  /** `ok`, or what is degraded. */
  health(): Promise<string>;
  close(): Promise<void>;
}
