import { fail } from "../errors.ts";
import { BlobsUrlInvalid } from "./errors.ts";

/** Where an S3 store lies. */
export interface S3Place {
  bucket: string;
  /** Empty, or ends in a slash. */
  prefix: string;
  region?: string;
  endpoint?: string;
  /** `https://host/bucket` instead of `https://bucket.host`. */
  pathStyle: boolean;
}

const example = "s3://bucket/prefix?region=eu-central-1, for other servers than AWS with &endpoint=https://host:9000&path-style=true";

/** Reads `s3://bucket/prefix?region=&endpoint=&path-style=true`. Errors: BlobsUrlInvalid, which does not repeat the URL. */
export function parseS3Url(text: string): S3Place {
  const url = URL.parse(text);
  if (url === null || url.protocol !== "s3:") fail(BlobsUrlInvalid, `BLOBS_URL is no s3:// URL. Set it to ${example}.`);
  if (url.username !== "" || url.password !== "") fail(BlobsUrlInvalid, "BLOBS_URL holds credentials. Give them as AWS tools take them instead: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role.");
  const bucket = url.hostname;
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket) || url.port !== "") fail(BlobsUrlInvalid, `BLOBS_URL names no bucket: 3 to 63 lower-case letters, digits, dots and hyphens. Set it to ${example}.`);
  const unknown = [...url.searchParams.keys()].filter((name) => !["region", "endpoint", "path-style"].includes(name));
  if (unknown.length > 0 || url.hash !== "") fail(BlobsUrlInvalid, `BLOBS_URL has ${unknown.length > 0 ? `the parameter ${JSON.stringify(unknown[0])}` : "a fragment"}, which is not known. Set it to ${example}.`);
  const region = url.searchParams.get("region") ?? undefined;
  if (region !== undefined && !/^[a-z0-9-]{2,40}$/.test(region)) fail(BlobsUrlInvalid, "BLOBS_URL: region is lower-case letters, digits and hyphens.");
  const pathStyle = url.searchParams.get("path-style") ?? "false";
  if (pathStyle !== "true" && pathStyle !== "false") fail(BlobsUrlInvalid, "BLOBS_URL: path-style is true or false.");
  const endpoint = endpointOf(url.searchParams.get("endpoint") ?? undefined);
  return {
    bucket, prefix: prefixOf(url.pathname), pathStyle: pathStyle === "true",
    // Other servers than AWS take any region, but want one in the signature.
    ...(region !== undefined ? { region } : endpoint !== undefined ? { region: "us-east-1" } : {}),
    ...(endpoint === undefined ? {} : { endpoint }),
  };
}

function prefixOf(pathname: string): string {
  const segments = pathname.split("/").filter((segment) => segment !== "");
  if (segments.some((segment) => !/^[A-Za-z0-9._+=@,~-]+$/.test(segment) || segment === "." || segment === "..")) {
    fail(BlobsUrlInvalid, "BLOBS_URL: the prefix has characters that are not allowed; use letters, digits and . _ - + = @ , ~ between slashes.");
  }
  return segments.map((segment) => `${segment}/`).join("");
}

function endpointOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "" || url.search !== "") {
    fail(BlobsUrlInvalid, "BLOBS_URL: endpoint is an http or https URL without credentials, such as https://minio.example:9000.");
  }
  return url.origin;
}
