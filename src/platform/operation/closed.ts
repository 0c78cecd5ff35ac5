import { fail, OrganizationClosed } from "../errors.ts";

/** Refuses whoever works in an organization that is being deleted; `closesAt` is when it goes, in milliseconds since 1970. */
export function refuseClosed(closesAt: number | null | undefined): void {
  if (closesAt === null || closesAt === undefined) return;
  const until = new Date(closesAt).toISOString();
  fail(OrganizationClosed, `The organization was deleted by an administrator of it, and everything in it is refused. Until ${until} an administrator of the platform can restore it; then it is erased. To work in another organization of yours, name that one or sign in again.`, { until });
}
