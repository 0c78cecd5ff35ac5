import { errorType, fail } from "../errors.ts";

export const BlobNameInvalid = errorType("blob-name-invalid", 400, "This is no name of a stored file");

const allowed = "use letters, digits and . _ - + = @ , ~ between slashes";

/** The segments of a pointer's name, such as `sboms/<image-id>/sbom.json`. Errors: BlobNameInvalid. */
export function pointerSegments(name: string): string[] {
  const reason = refusal(name);
  if (reason !== undefined) fail(BlobNameInvalid, `The object name ${JSON.stringify(name.slice(0, 100))} ${reason}; ${allowed}.`);
  return name.split("/");
}

/** An organization's id as a folder: a UUID or another plain word. Errors: BlobNameInvalid. */
export function orgSegment(orgId: string): string {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(orgId)) fail(BlobNameInvalid, "The organization's id is not a UUID.");
  return orgId;
}

/** Errors: BlobNameInvalid. */
export function digestSegment(digest: string): string {
  if (!/^[0-9a-f]{64}$/.test(digest)) fail(BlobNameInvalid, `${JSON.stringify(digest.slice(0, 100))} is not a SHA-256 digest: 64 lower-case hexadecimal digits.`);
  return digest;
}

function refusal(name: string): string | undefined {
  if (name === "") return "is empty";
  if (name.length > 1024) return "is longer than 1024 characters";
  if (name.startsWith("/")) return "is absolute";
  for (const segment of name.split("/")) {
    if (segment === "") return "has an empty segment";
    if (segment === "." || segment === "..") return `has a segment ${segment}`;
    if (segment.length > 200) return "has a segment of more than 200 characters";
    if (!/^[A-Za-z0-9._+=@,~-]+$/.test(segment)) return "has characters that are not allowed";
  }
  return undefined;
}
